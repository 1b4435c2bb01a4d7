import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../tests/harness/database.ts';
import { holds } from '../../tests/harness/property.ts';
import { Refusal } from '../errors.ts';
import { dayMs, minuteMs } from '../time.ts';
import { type AttemptState, beginAttempt, limits, nextState, purgeAttempts, takeBack } from './attempts.ts';

const now = Date.parse('2026-03-15T03:00:00Z');
const key = new Uint8Array(32);
const none: AttemptState = { failures: 0, failedAt: now, lockedUntil: null };

test('waits begin with the fifth failure of a name from one network and double up to 15 minutes', () => {
  const waits: number[] = [];
  let [state, at] = [none, now];
  for (let failure = 1; failure <= 14; failure += 1) {
    state = nextState(state, { now: at, limit: limits.name });
    waits.push(((state.lockedUntil ?? at) - at) / 1_000);
    at = state.lockedUntil ?? at;
  }
  assert.deepEqual(waits, [0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
});

test('during a delay every attempt is refused with the remaining seconds, and changes nothing', () => {
  const state: AttemptState = { failures: 5, failedAt: now, lockedUntil: now + 5_000 };
  assert.throws(
    () => nextState(state, { now: now + 1_001, limit: limits.name }),
    (error) => error instanceof Refusal && error.code === 'SIGN_IN_LIMITED' && error.retryAfterSeconds === 4,
  );
  assert.equal(nextState(state, { now: now + 5_000, limit: limits.name }).failures, 6);
});

test('with any timing, a day has at most 120 failed attempts of a name', async (t) => {
  const pauses = fc.array(fc.integer({ min: 0, max: 20 * minuteMs }), { minLength: 200, maxLength: 400 });
  await holds(
    t,
    fc.property(pauses, (pausesMs) => {
      let [state, at, tried] = [none, now, 0];
      for (const pauseMs of pausesMs) {
        at = Math.max(at + pauseMs, state.lockedUntil ?? 0);
        if (at > now + dayMs) break;
        state = nextState(state, { now: at, limit: limits.name });
        tried += 1;
      }
      return tried <= 120;
    }),
  );
});

test('failures expire with time; a sign-in clears those of its name, and takes one of its network back', async (t) => {
  const { sql } = await testDatabase(t);
  const begin = (name: string | null, address: string, at = now) =>
    beginAttempt(sql, { name, address }, { now: at, key });
  const counts = async () =>
    (await sql<{ failures: number }[]>`select failures from sign_in_attempts order by failures`).map(
      ({ failures }) => failures,
    );
  for (let failure = 1; failure <= 3; failure += 1) await begin('ming', '192.0.2.1');
  const attempt = await begin('ming', '192.0.2.1');
  assert.deepEqual(await counts(), [4, 4]);
  await takeBack(sql, attempt, { forget: true });
  assert.deepEqual(await counts(), [3]);
  await begin('ming', '192.0.2.1', now + 10 * minuteMs);
  assert.deepEqual(await counts(), [1, 2]);
  // An attempt without a check is taken back; the others stay.
  await takeBack(sql, await begin('ming', '192.0.2.1', now + 10 * minuteMs), { forget: false });
  assert.deepEqual(await counts(), [1, 2]);
  await purgeAttempts(sql, { now: now + dayMs });
  assert.deepEqual(await counts(), [1, 2]);
  await purgeAttempts(sql, { now: now + dayMs + 10 * minuteMs });
  assert.deepEqual(await counts(), []);
});

test('failures of a stranger in one network do not delay the name in another', async (t) => {
  const { sql } = await testDatabase(t);
  const begin = (name: string, address: string) => beginAttempt(sql, { name, address }, { now, key });
  for (let failure = 1; failure <= 5; failure += 1) await begin('ming', '192.0.2.1');
  await assert.rejects(begin('ming', '192.0.2.1'), { code: 'SIGN_IN_LIMITED' });
  await begin('mei', '192.0.2.1');
  const own = await begin('ming', '198.51.100.7');
  await takeBack(sql, own, { forget: true });
  await assert.rejects(begin('ming', '192.0.2.1'), { code: 'SIGN_IN_LIMITED' });
  for (let failure = 1; failure <= 4; failure += 1) await begin('ming', '198.51.100.7');
});

test('parallel attempts gain nothing over sequential ones', async (t) => {
  const { sql } = await testDatabase(t);
  const attempts = Array.from({ length: 40 }, () =>
    beginAttempt(sql, { name: 'ming', address: '192.0.2.1' }, { now, key }),
  );
  const outcomes = await Promise.allSettled(attempts);
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 5);
});

test('an address of IPv6 counts by its network, one of IPv4 by itself however it is written', async (t) => {
  const { sql } = await testDatabase(t);
  const groups = [
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', '2001:0db8:0001:0002:3:4:5:6', '2001:db8:1:2::192.0.2.1'],
    ['2001:db8:1:3::1'],
    ['::1', '::2:1'],
    ['fe80::1%eth0', 'fe80::2%eth1'],
    ['192.0.2.1', '::ffff:192.0.2.1'],
    ['192.0.2.2'],
    [''],
  ];
  for (const address of groups.flat()) await beginAttempt(sql, { name: null, address }, { now, key });
  const rows = await sql<{ failures: number }[]>`select failures from sign_in_attempts`;
  assert.deepEqual(rows.map(({ failures }) => failures).sort(), groups.map(({ length }) => length).sort());
});

test('a success does not end the delay of another attempt', async (t) => {
  const { sql } = await testDatabase(t);
  const begin = (name: string) => beginAttempt(sql, { name, address: '192.0.2.1' }, { now, key });
  for (let failure = 1; failure <= 19; failure += 1) await begin(`name ${failure}`);
  const own = await begin('own');
  await begin('another');
  await takeBack(sql, own, { forget: true });
  await assert.rejects(begin('third'), { code: 'SIGN_IN_LIMITED' });
});
