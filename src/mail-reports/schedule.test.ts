import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latestDue, nextDue, type Schedule } from './schedule.ts';

const taipei: Schedule = {
  frequency: 'daily',
  timeZone: 'Asia/Taipei',
  minuteOfDay: 9 * 60,
  botZones: ['Asia/Taipei'],
};
const next = (schedule: Partial<Schedule>, now: string) => {
  const { at, ...days } = nextDue({ ...taipei, ...schedule }, Date.parse(now));
  return { at: new Date(at).toISOString(), ...days };
};

test('a daily, weekly and monthly report covers the complete period before it', () => {
  const now = '2026-03-03T02:00:00Z';
  assert.deepEqual(next({}, now), {
    ...{ at: '2026-03-04T01:00:00.000Z', first: '2026-03-03', last: '2026-03-03' },
  });
  assert.deepEqual(next({ frequency: 'weekly' }, now), {
    ...{ at: '2026-03-09T01:00:00.000Z', first: '2026-03-02', last: '2026-03-08' },
  });
  assert.deepEqual(next({ frequency: 'monthly' }, now), {
    ...{ at: '2026-04-01T01:00:00.000Z', first: '2026-03-01', last: '2026-03-31' },
  });
  assert.deepEqual(next({ frequency: 'monthly' }, '2028-02-29T12:00:00Z'), {
    ...{ at: '2028-03-01T01:00:00.000Z', first: '2028-02-01', last: '2028-02-29' },
  });
});

test('a report waits until its last day has ended in the zone of each bot', () => {
  assert.deepEqual(
    next({ botZones: ['Asia/Taipei', 'America/Los_Angeles'] }, '2026-03-03T02:00:00Z'),
    { at: '2026-03-03T08:00:00.000Z', first: '2026-03-02', last: '2026-03-02' },
    'midnight of 3 March in Los Angeles',
  );
});

test('the time of day is local on both sides of a clock change', () => {
  const berlin = { timeZone: 'Europe/Berlin', botZones: ['Europe/Berlin'] };
  assert.equal(next(berlin, '2026-03-28T12:00:00Z').at, '2026-03-29T07:00:00.000Z');
  assert.equal(next(berlin, '2026-03-27T12:00:00Z').at, '2026-03-28T08:00:00.000Z');
});

test('the latest due time precedes now, and the next one follows it, at any time of a year', () => {
  for (const frequency of ['daily', 'weekly', 'monthly'] as const) {
    const schedule = { ...taipei, frequency, botZones: ['America/Los_Angeles', 'Pacific/Kiritimati'] };
    for (
      let now = Date.parse('2026-01-01T00:30:00Z');
      now < Date.parse('2027-01-01');
      now += 101 * 3_600_000
    ) {
      const [latest, following] = [latestDue(schedule, now), nextDue(schedule, now)];
      assert.ok(latest.at <= now && now < following.at);
      const afterLast = Date.parse(latest.last) + 86_400_000;
      assert.equal(following.first, new Date(afterLast).toISOString().slice(0, 10), 'no period is left out');
    }
  }
});
