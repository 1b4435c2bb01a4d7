import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededBytes } from '../tests/harness/random.ts';
import { inPortions } from './random.ts';

test('chance taken in portions is asked for seldom, and no byte of it is given twice', () => {
  const asked: number[] = [];
  const chance = seededBytes(1);
  const given = [0, 1].map(() => chance(10)).map((bytes) => [...bytes]);
  const again = seededBytes(1);
  const random = inPortions((size) => {
    asked.push(size);
    return again(size);
  }, 10);
  assert.deepEqual([...random(4), ...random(4)], given[0]?.slice(0, 8));
  // What is left of a portion is too little: a new one.
  assert.deepEqual([...random(4)], given[1]?.slice(0, 4));
  assert.deepEqual(asked, [10, 10]);
  assert.equal(random(11).length, 11);
  assert.deepEqual(asked, [10, 10, 11]);
});
