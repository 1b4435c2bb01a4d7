import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  describedJpeg,
  describedPng,
  describedWebp,
  exif,
  gif,
  jpeg,
  png,
  secret,
  webp,
} from '../../tests/harness/images.ts';
import { holds } from '../../tests/harness/property.ts';
import { withoutMetadata } from './image-metadata.ts';

const images = [
  { type: 'image/jpeg', plain: jpeg, described: describedJpeg },
  { type: 'image/png', plain: png, described: describedPng },
  { type: 'image/webp', plain: webp, described: describedWebp },
] as const;

test('an image without metadata stays unchanged', () => {
  for (const { type, plain } of images) assert.deepEqual(withoutMetadata(type, plain), plain, type);
  assert.equal(withoutMetadata('image/gif', gif), gif);
});

test('location, captions, previews, unknown parts and data after the end are removed, and the picture stays', () => {
  for (const { type, plain, described } of images) {
    const before = described(exif(1));
    assert.ok(before.includes(secret));
    assert.deepEqual(withoutMetadata(type, before), plain, type);
  }
});

test('only the orientation of Exif is written back', () => {
  for (const { type, plain, described } of images) {
    for (const order of ['II', 'MM'] as const) {
      for (let orientation = 2; orientation <= 8; orientation += 1) {
        const cleaned = Buffer.from(withoutMetadata(type, described(exif(orientation, order))) ?? []);
        assert.ok(!cleaned.includes('secret'), type);
        assert.ok(cleaned.length > plain.length && cleaned.length < plain.length + 60, type);
        const place = cleaned.indexOf('MM\0*');
        assert.equal(cleaned.readUInt16BE(place + 10), 0x0112);
        assert.equal(cleaned.readUInt16BE(place + 18), orientation);
        assert.deepEqual(withoutMetadata(type, cleaned), cleaned, `${type} ${orientation}`);
      }
      for (const wrong of [0, 1, 9, 65_535])
        assert.deepEqual(withoutMetadata(type, described(exif(wrong, order))), plain);
    }
  }
});

test('the preview of JFIF is removed, and its other fields stay', () => {
  const preview = Buffer.alloc(3 * 4, 'p');
  const head = Buffer.from('\xff\xd8\xff\xe0\0\x1cJFIF\0\x01\x02\x01\0\x48\0\x48\x02\x02', 'latin1');
  const cleaned = withoutMetadata('image/jpeg', Buffer.concat([head, preview, jpeg.subarray(20)]));
  const kept = Buffer.from('\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x02\x01\0\x48\0\x48\0\0', 'latin1');
  assert.deepEqual(cleaned, Buffer.concat([kept, jpeg.subarray(20)]));
});

test('bytes without a picture are no image', () => {
  for (const [type, bytes] of [
    ['image/jpeg', Buffer.from('ffd8ffe000104a464946', 'hex')],
    ['image/jpeg', Buffer.from('ffd8ffd9', 'hex')],
    ['image/png', Buffer.from('89504e470d0a1a0a0000', 'hex')],
    ['image/png', png.subarray(0, 33)],
    ['image/webp', Buffer.from('RIFF....WEBPVP8 ')],
    ['image/webp', webp.subarray(0, 12)],
  ] as const)
    assert.equal(withoutMetadata(type, bytes), null);
});

test('an image truncated anywhere also loses its metadata', () => {
  for (const { type, described } of images) {
    const whole = described(exif(6));
    for (let length = 0; length <= whole.length; length += 1) {
      const cleaned = withoutMetadata(type, whole.subarray(0, length));
      if (cleaned !== null) assert.ok(!Buffer.from(cleaned).includes('secret'), `${type} ${length}`);
    }
  }
});

test('damaged images are read without an error', async (t) => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 20 });
  for (const { type, described } of images) {
    const whole = described(exif(6));
    await holds(
      t,
      fc.property(damage, (changes) => {
        const bytes = Buffer.from(whole);
        for (const [place, value] of changes) bytes[place % bytes.length] = value;
        const cleaned = withoutMetadata(type, bytes);
        return cleaned === null || cleaned.length <= bytes.length + 60;
      }),
    );
  }
});

test('five megabytes are read within a moment', () => {
  const scan = Buffer.alloc(5 * 1024 * 1024, Buffer.from([0xff, 0x00]));
  const start = performance.now();
  const place = jpeg.length - 2;
  withoutMetadata('image/jpeg', Buffer.concat([jpeg.subarray(0, place), scan, jpeg.subarray(place)]));
  // A byte of the format after each byte of data is the worst case.
  assert.ok(performance.now() - start < 5_000);
});
