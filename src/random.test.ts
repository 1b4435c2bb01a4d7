import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededBytes } from '../tests/harness/random.ts';
import { inPortions } from './random.ts';

test('random bytes are read in portions, and no byte is used twice', () => {
  const asked: number[] = [];
  const chance = seededBytes(1);
  const given = [0, 1].map(() => chance(10)).map((bytes) => [...bytes]);
  const again = seededBytes(1);
  const random = inPortions((size) => {
    asked.push(size);
    return again(size);
  }, 10);
  assert.deepEqual([...random(4), ...random(4)], given[0]?.slice(0, 8));
  // The rest of the portion is too small, so a new one is read.
  assert.deepEqual([...random(4)], given[1]?.slice(0, 4));
  assert.deepEqual(asked, [10, 10]);
  assert.equal(random(11).length, 11);
  assert.deepEqual(asked, [10, 10, 11]);
});
