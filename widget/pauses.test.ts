import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../tests/harness/property.ts';
import { pollPause, reconnectPause, refusedPause } from './pauses.ts';

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('the pause before connecting again doubles from half a second to half a minute', () => {
  const most = [1, 2, 3, 4, 5, 6, 7, 8, 40].map((failures) => reconnectPause(failures, 1));
  assert.deepEqual(most, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test('chance takes any part of the pause, so that not all come back at once', async (t) => {
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

test('polls come every 2.5 to 5 seconds; a refusal for too many costs at least 15', async (t) => {
  await holds(
    t,
    fc.property(chance, (part) => {
      assert.ok(pollPause(part) >= 2_500 && pollPause(part) <= 5_000);
      assert.ok(refusedPause(part) >= 15_000 && refusedPause(part) <= 30_000);
    }),
  );
});
