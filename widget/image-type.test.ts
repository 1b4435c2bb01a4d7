import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageTypeOf } from './image-type.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

test('the first bytes decide the type of an image', () => {
  assert.equal(imageTypeOf(bytes('\x89PNG\r\n\x1a\n\0\0\0\r')), 'image/png');
  assert.equal(imageTypeOf(bytes('\xff\xd8\xff\xe0\0\x10JFIF\0\x01')), 'image/jpeg');
  assert.equal(imageTypeOf(bytes('GIF89a......')), 'image/gif');
  assert.equal(imageTypeOf(bytes('RIFF\x10\0\0\0WEBP')), 'image/webp');
});

test('other bytes are not an image, whatever their name', () => {
  for (const text of ['', '<svg xmlns=', '%PDF-1.7....', 'RIFF\x10\0\0\0WAVE', 'GIF90a......', '\x89PNG'])
    assert.equal(imageTypeOf(bytes(text)), null, JSON.stringify(text));
});
