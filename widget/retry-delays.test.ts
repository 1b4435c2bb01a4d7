import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../tests/harness/property.ts';
import { pollPause, reconnectPause, refusedPause } from './retry-delays.ts';

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('the pause before a reconnect doubles from 0.5 s to 30 s', () => {
  const most = [1, 2, 3, 4, 5, 6, 7, 8, 40].map((failures) => reconnectPause(failures, 1));
  assert.deepEqual(most, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test('jitter takes any part of the pause, so that clients do not reconnect together', async (t) => {
  assert.equal(reconnectPause(3, 0), 0);
  assert.equal(reconnectPause(3, 0.25), 500);
  await holds(
    t,
    fc.property(fc.integer({ min: 0, max: 10_000 }), chance, (failures, part) => {
      const pause = reconnectPause(failures, part);
      return pause >= 0 && pause <= 30_000;
    }),
  );
});

test('polls run every 2.5 to 5 s; a refusal of too many connections costs at least 15 s', async (t) => {
  await holds(
    t,
    fc.property(chance, (part) => {
      assert.ok(pollPause(part) >= 2_500 && pollPause(part) <= 5_000);
      assert.ok(refusedPause(part) >= 15_000 && refusedPause(part) <= 30_000);
    }),
  );
});
