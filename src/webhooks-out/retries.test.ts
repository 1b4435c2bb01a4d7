import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import { dayMs, hourMs } from '../time.ts';
import { type Answer, judge, pausesMs } from './retries.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const never = () => Buffer.alloc(4);

function failed(part: Partial<Answer>): Answer {
  return { status: 500, problem: 'answered 500', excerpt: null, retryAfter: null, ms: 1, ...part };
}

test('with any random numbers, pauses grow over three days, then the message is given up', async (t) => {
  await holds(
    t,
    fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 2 ** 32 - 1 })), (numbers) => {
      const chance = numbers[Symbol.iterator]();
      const random = () => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32BE(chance.next().value ?? 0);
        return bytes;
      };
      let at = now;
      let pause = 0;
      for (let attempts = 1; ; attempts += 1) {
        const verdict = judge(failed({}), { attempts, since: now, now: at }, random);
        if (verdict.kind !== 'again') {
          assert.deepEqual([verdict, attempts], [{ kind: 'given-up', isGone: false }, 13]);
          break;
        }
        assert.ok(verdict.dueAt - at > pause);
        pause = verdict.dueAt - at;
        at = verdict.dueAt;
      }
      assert.ok(at - now > 2 * dayMs && at - now < 3 * dayMs, String(at - now));
    }),
  );
  assert.equal(
    pausesMs.reduce((sum, pause) => sum + pause, 0),
    258_155_000,
  );
});

test('an attempt that fails three days after the first was due is the last', () => {
  const verdict = judge(failed({}), { attempts: 1, since: now, now: now + 3 * dayMs }, never);
  assert.deepEqual(verdict, { kind: 'given-up', isGone: false });
});

test('410 gives the message up at once', () => {
  const answer = failed({ status: 410 });
  assert.deepEqual(judge(answer, { attempts: 1, since: now, now }, never), {
    kind: 'given-up',
    isGone: true,
  });
});

test('Retry-After of 429 and 503 is honoured, in seconds or as a date, for a day at most', () => {
  const pausedUntil = (status: number, retryAfter: string) => {
    const verdict = judge(failed({ status, retryAfter }), { attempts: 1, since: now, now }, never);
    assert.ok(verdict.kind === 'again');
    assert.ok(verdict.dueAt >= (verdict.pausedUntil ?? 0));
    return verdict.pausedUntil === null ? null : verdict.pausedUntil - now;
  };
  assert.equal(pausedUntil(429, '120'), 120_000);
  assert.equal(pausedUntil(503, '7200'), 2 * hourMs);
  assert.equal(pausedUntil(429, new Date(now + hourMs).toUTCString()), hourMs);
  assert.equal(pausedUntil(429, '999999999'), dayMs);
  for (const none of ['0', '-5', 'soon', '', new Date(now - hourMs).toUTCString()])
    assert.equal(pausedUntil(429, none), null);
  assert.equal(pausedUntil(500, '120'), null);
});
