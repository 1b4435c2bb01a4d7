/**
 * The limit of calls a minute.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import { RateLimit } from './rate-limit.ts';

const now = Date.parse('2026-03-01T00:00:00Z');

test('a burst of a whole minute is allowed, the next call has to wait for its second', () => {
  const limit = new RateLimit(60);
  for (let call = 1; call <= 60; call += 1) {
    const expected = { limit: 60, remaining: 60 - call, resetSeconds: call, retryAfterSeconds: null };
    assert.deepEqual(limit.take('bot', now), expected);
  }
  const refused = { limit: 60, remaining: 0, resetSeconds: 60, retryAfterSeconds: 1 };
  assert.deepEqual(limit.take('bot', now), refused);
  assert.equal(limit.take('bot', now + 999).retryAfterSeconds, 1);
  assert.equal(limit.take('bot', now + 1_000).retryAfterSeconds, null);
  assert.equal(limit.take('bot', now + 1_000).retryAfterSeconds, 1);
});

test('bots do not use each other', () => {
  const limit = new RateLimit(1);
  assert.equal(limit.take('one', now).retryAfterSeconds, null);
  assert.equal(limit.take('one', now).retryAfterSeconds, 60);
  assert.equal(limit.take('two', now).retryAfterSeconds, null);
});

test('a call is allowed after the seconds of retryAfterSeconds, at any limit and any pattern of calls', async (t) => {
  const pauses = fc.array(fc.nat({ max: 5_000 }), { maxLength: 100 });
  await holds(
    t,
    fc.property(fc.integer({ min: 1, max: 1_000 }), pauses, (calls, gaps) => {
      const limit = new RateLimit(calls);
      let at = now;
      for (const gap of gaps) {
        at += gap;
        const { retryAfterSeconds, remaining, resetSeconds } = limit.take('bot', at);
        assert.ok(remaining >= 0 && remaining < calls && resetSeconds >= 0 && resetSeconds <= 60);
        if (retryAfterSeconds === null) continue;
        at += retryAfterSeconds * 1_000;
        assert.equal(limit.take('bot', at).retryAfterSeconds, null);
      }
    }),
  );
});

test('a minute has at most twice the calls: the burst, and the refill', () => {
  const limit = new RateLimit(30);
  let allowed = 0;
  for (let ms = 0; ms < 60_000; ms += 100) {
    if (limit.take('bot', now + ms).retryAfterSeconds === null) allowed += 1;
  }
  assert.ok(allowed > 50 && allowed <= 60, String(allowed));
});

test('a clock that is set back fills no bucket and blocks no bot', () => {
  const limit = new RateLimit(1);
  assert.equal(limit.take('bot', now).retryAfterSeconds, null);
  assert.equal(limit.take('bot', now - 3_600_000).retryAfterSeconds, 60);
  assert.equal(limit.take('bot', now - 3_600_000 + 60_000).retryAfterSeconds, null);
});
