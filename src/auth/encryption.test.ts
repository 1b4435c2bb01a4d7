/**
 * Boxes for credentials: what opens them, and what does not.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import { Refusal } from '../errors.ts';
import { seal, unseal } from './encryption.ts';

const key = randomBytes(32);
const place = { botId: 'AbCdEfGhI', platform: 'line', column: 'secret' };

function refused(error: unknown): boolean {
  return error instanceof Refusal && /the secret key is not the one/.test(error.message);
}

test('any text is sealed and opened unchanged, and its box does not contain it', async (t) => {
  await holds(
    t,
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
      const box = seal(key, text, place, randomBytes);
      assert.equal(unseal(key, box, place), text);
      assert.equal(box.length, 1 + 12 + Buffer.byteLength(text) + 16);
      if (text.length > 3) assert.equal(box.includes(text), false);
    }),
  );
});

test('the same text gets a different box each time', () => {
  assert.notDeepEqual(seal(key, 'secret', place, randomBytes), seal(key, 'secret', place, randomBytes));
});

test('a box does not open with another key', () => {
  const box = seal(key, 'secret', place, randomBytes);
  assert.throws(() => unseal(randomBytes(32), box, place), refused);
});

test('a box that was moved to another bot, platform or column does not open', () => {
  const box = seal(key, 'secret', place, randomBytes);
  for (const moved of [{ botId: 'AbCdEfGhJ' }, { platform: 'facebook' }, { column: 'verify token' }]) {
    assert.throws(() => unseal(key, box, { ...place, ...moved }), refused);
  }
});

test('a box with any bit changed, or any part cut off, does not open, and the error holds nothing of it', async (t) => {
  const box = seal(key, 'my channel secret', place, randomBytes);
  await holds(
    t,
    fc.property(fc.nat({ max: box.length * 8 - 1 }), (bit) => {
      const changed = Buffer.from(box);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => unseal(key, changed, place), refused);
    }),
  );
  for (let length = 0; length < box.length; length += 1) {
    assert.throws(() => unseal(key, box.subarray(0, length), place), refused);
  }
});
