import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import { hourMs } from '../time.ts';
import { afterCall, callableAt, callLimit, durationOf } from './call-limit.ts';

test('60 calls per hour are 10 at once and one every 72 s', () => {
  assert.deepEqual(callLimit(60), { burst: 10, intervalMs: 72_000 });
  assert.deepEqual(callLimit(6), { burst: 1, intervalMs: 720_000 });
});

test('no hour has more calls than the limit, and no burst is larger than the bucket', async (t) => {
  const pauses = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 * hourMs })), {
    maxLength: 300,
  });
  await holds(
    t,
    fc.property(fc.integer({ min: 6, max: 200 }), pauses, (perHour, waits) => {
      const limit = callLimit(perHour);
      const callTimes: number[] = [];
      let now = 1_000_000;
      let fullAt: number | null = null;
      for (const wait of waits) {
        now += wait;
        while (callableAt(fullAt, limit) <= now) {
          fullAt = afterCall(fullAt, now, limit);
          callTimes.push(now);
        }
        now = Math.max(now, callableAt(fullAt, limit) - 1);
      }
      const within = (ms: number) =>
        Math.max(
          0,
          ...callTimes.map(
            (at, first) => callTimes.filter((other, index) => index >= first && other <= at + ms).length,
          ),
        );
      assert.ok(within(hourMs) <= perHour, `${within(hourMs)} calls in an hour`);
      assert.ok(within(limit.intervalMs - 1) <= limit.burst);
    }),
    { runs: 60 },
  );
});

test('the duration of calls ends when the last of them can be made', async (t) => {
  await holds(
    t,
    fc.property(
      fc.integer({ min: 0, max: 200 }),
      fc.integer({ min: -hourMs, max: hourMs }),
      (calls, used) => {
        const limit = callLimit(60);
        const now = 10 * hourMs;
        let fullAt: number | null = Math.min(now + used, now + limit.burst * limit.intervalMs);
        const expected = durationOf(calls, { fullAt, now, limit });
        let at = now;
        for (let call = 0; call < calls; call += 1) {
          at = Math.max(at, callableAt(fullAt, limit));
          fullAt = afterCall(fullAt, at, limit);
        }
        assert.equal(expected, at - now);
      },
    ),
  );
});
