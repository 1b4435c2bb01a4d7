import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../tests/harness/property.ts';
import { type Comparison, comparedPeriod } from './comparison.ts';
import { type PeriodUnit, periodsOf, periodUnits } from './periods.ts';
import { addDays, countDays, dayOf, dayStart, hourStart } from './time.ts';

const later = { now: Date.parse('2030-01-01T00:00:00Z'), zone: 'Asia/Taipei' };

function spanOf(
  from: string,
  to: string,
  comparison: Comparison = 'previous-period',
  at: { now: number; zone: string } = later,
) {
  const period = comparedPeriod({ from, to, by: 'day' }, comparison, at);
  return period && [period.from, period.to, period.untilHour];
}

test('a range is compared with as many days before it, and whole months with whole months', () => {
  assert.deepEqual(spanOf('2026-03-01', '2026-03-02'), ['2026-02-27', '2026-02-28', null]);
  assert.deepEqual(spanOf('2026-03-01', '2026-03-31'), ['2026-02-01', '2026-02-28', null]);
  assert.deepEqual(spanOf('2026-02-01', '2026-03-31'), ['2025-12-01', '2026-01-31', null]);
  assert.deepEqual(spanOf('2026-02-23', '2026-03-01'), ['2026-02-16', '2026-02-22', null]);
  assert.equal(spanOf('2026-03-01', '2026-03-02', 'none'), null);
});

test('the same period last year has the same dates, across leap days', () => {
  const year = (from: string, to: string) => spanOf(from, to, 'same-period-last-year');
  assert.deepEqual(year('2026-03-01', '2026-03-31'), ['2025-03-01', '2025-03-31', null]);
  assert.deepEqual(year('2028-02-01', '2028-02-29'), ['2027-02-01', '2027-02-28', null]);
  assert.deepEqual(year('2029-02-01', '2029-02-28'), ['2028-02-01', '2028-02-29', null]);
  const leap = { from: '2028-02-28', to: '2028-03-01', by: 'day' } as const;
  assert.deepEqual(comparedPeriod(leap, 'same-period-last-year', later)?.periods, [
    { first: '2027-02-28', last: '2027-02-28' },
    null,
    { first: '2027-03-01', last: '2027-03-01' },
  ]);
});

test('a range with today is compared up to the nearest hour of the corresponding day', () => {
  const zone = 'Asia/Taipei';
  const at = (time: string) => ({ now: Date.parse(`2026-03-10T${time}:00+08:00`), zone });
  assert.deepEqual(spanOf('2026-03-10', '2026-03-10', 'previous-period', at('15:20')), [
    ...['2026-03-09', '2026-03-09', 15],
  ]);
  assert.deepEqual(spanOf('2026-03-01', '2026-03-31', 'previous-period', at('15:40')), [
    ...['2026-02-01', '2026-02-10', 16],
  ]);
  assert.deepEqual(spanOf('2026-03-10', '2026-03-10', 'previous-period', at('23:40')), [
    ...['2026-03-09', '2026-03-09', null],
  ]);
  // 31 March has no counterpart in February: the whole of it is compared.
  const lastDay = { now: Date.parse('2026-03-31T12:00:00+08:00'), zone };
  assert.deepEqual(spanOf('2026-03-01', '2026-03-31', 'previous-period', lastDay), [
    ...['2026-02-01', '2026-02-28', null],
  ]);
});

test('a week or month is compared with its counterpart, cut where the compared period ends', () => {
  const month = { from: '2026-03-01', to: '2026-04-30', by: 'month' } as const;
  assert.deepEqual(comparedPeriod(month, 'previous-period', later)?.periods, [
    { first: '2026-01-01', last: '2026-01-31' },
    { first: '2026-02-01', last: '2026-02-28' },
  ]);
  const now = Date.parse('2026-03-10T15:00:00+08:00');
  const weeks = { from: '2026-02-23', to: '2026-03-15', by: 'week' } as const;
  assert.deepEqual(comparedPeriod(weeks, 'previous-period', { now, zone: 'Asia/Taipei' })?.periods, [
    { first: '2026-02-02', last: '2026-02-08' },
    { first: '2026-02-09', last: '2026-02-15' },
    { first: '2026-02-16', last: '2026-02-17' },
  ]);
});

const zones = ['Asia/Taipei', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/Havana'];
const days = fc.integer({ min: 0, max: 12_000 }).map((count) => addDays('2000-01-01', count));
const request = fc.record({
  from: days,
  length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 900 })),
  by: fc.constantFrom<PeriodUnit>(...periodUnits),
  comparison: fc.constantFrom<Comparison>('previous-period', 'same-period-last-year'),
  zone: fc.constantFrom(...zones),
  // From before the range to after it.
  nowAfter: fc.integer({ min: -5 * 24 * 60, max: 1_000 * 24 * 60 }),
});
test('compared periods are in order, without overlap, and within the compared days, in any zone', async (t) => {
  await holds(
    t,
    fc.property(request, ({ from, length, by, comparison, zone, nowAfter }) => {
      const to = addDays(from, length - 1);
      const now = dayStart(from, zone) + nowAfter * 60_000;
      const compared = comparedPeriod({ from, to, by }, comparison, { now, zone });
      assert.ok(compared);
      assert.equal(compared.periods.length, periodsOf({ from, to, by }).length);
      const periods = compared.periods.filter((period) => period !== null);
      assert.equal(periods[0]?.first, compared.from);
      periods.forEach(({ first, last }, index) => {
        assert.ok(first <= last && last <= compared.to);
        const before = periods[index - 1];
        if (before) assert.ok(by === 'day' ? first > before.last : first === addDays(before.last, 1));
        if (by === 'day') assert.equal(first, last);
      });
      const today = dayOf(now, zone);
      const isRunning = from <= today && today <= to;
      if (!isRunning) assert.equal(compared.untilHour, null);
      if (!isRunning && comparison === 'previous-period') assert.equal(compared.to, addDays(from, -1));
      if (isRunning) assert.ok(countDays(compared.from, compared.to) <= countDays(from, today) + 1);
      if (compared.untilHour !== null) {
        const until = hourStart(compared.to, compared.untilHour, zone);
        assert.ok(until >= dayStart(compared.to, zone));
        assert.ok(until <= dayStart(addDays(compared.to, 1), zone));
      }
    }),
    { runs: 300 },
  );
});
