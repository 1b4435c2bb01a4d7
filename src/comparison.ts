/**
 * The period that a range of days is compared with (figures.md, section 15). Pure.
 *
 *     previous-period          as many days, up to the day before the range; whole calendar months before whole calendar months
 *     same-period-last-year    the same dates a year earlier
 *
 * A range that contains today is compared up to the same hour of the day that corresponds to today.
 */
import { type PeriodUnit, periodsOf } from './periods.ts';
import { addDays, countDays, dayOf, hourMs, hourOf } from './time.ts';

export const comparisons = ['previous-period', 'same-period-last-year', 'none'] as const;
export type Comparison = (typeof comparisons)[number];

export type DayRange = { first: string; last: string };

export type ComparedPeriod = {
  /** First and last compared day, both included. */
  from: string;
  to: string;
  /** Sums end on the last day at this hour of the wall clock (0 to 23); null: with the end of the day. */
  untilHour: number | null;
  /** For each period of the range the compared days; null: none. */
  periods: (DayRange | null)[];
};

/**
 * Returns the compared period; null without a comparison. `now` in ms, days in the zone. Worked example: 2026-03-01 to 2026-03-31
 * on 10 March at 15:20 is compared with 2026-02-01 to 2026-02-10, 15:00.
 */
export function comparedPeriod(
  range: { from: string; to: string; by: PeriodUnit },
  comparison: Comparison,
  { now, zone }: { now: number; zone: string },
): ComparedPeriod | null {
  if (comparison === 'none') return null;
  const { from, to, by } = range;
  const shift = shiftOf(comparison, from, to);
  const end = addDays(shift(addDays(to, 1)), -1);
  const today = dayOf(now, zone);
  const isRunning = from <= today && today <= to && shift(today) <= end;
  const last = isRunning ? shift(today) : end;
  const firsts = periodsOf(range).map(({ first }) => shift(first));
  const periods = firsts.map((first, index) => {
    const next = firsts[index + 1];
    // Days without a counterpart, such as the end of a longer month, count in sums, but in no day's value.
    const lasts = [last, next === undefined ? end : addDays(next, -1), ...(by === 'day' ? [first] : [])];
    const cut = lasts.reduce((one, other) => (other < one ? other : one));
    return first <= cut ? { first, last: cut } : null;
  });
  return {
    from: shift(from),
    to: last,
    untilHour: isRunning ? nearestHour(now, zone, today) : null,
    periods,
  };
}

/** Returns the function from a day of the range, or the day after it, to its counterpart. */
function shiftOf(comparison: Exclude<Comparison, 'none'>, from: string, to: string): (day: string) => string {
  if (comparison === 'same-period-last-year') return (day) => monthsBefore(day, 12);
  const months = wholeMonths(from, addDays(to, 1));
  return months > 0 ? (day) => monthsBefore(day, months) : (day) => addDays(day, -countDays(from, to));
}

/** The number of calendar months from one day to another that both begin a month, else 0. */
function wholeMonths(from: string, end: string): number {
  return from.endsWith('-01') && end.endsWith('-01') ? monthOf(end) - monthOf(from) : 0;
}

/** The same date `count` months earlier; the first of the next month if that month is too short. */
function monthsBefore(day: string, count: number): string {
  const month = monthOf(day) - count;
  const first = `${Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}-01`;
  const sameDate = addDays(first, Number(day.slice(8)) - 1);
  if (monthOf(sameDate) === month) return sameDate;
  return `${sameDate.slice(0, 8)}01`;
}

/** Months since the year 0. */
function monthOf(day: string): number {
  return Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1;
}

/** The full hour nearest to now, because figures are stored by hour; null: the end of the day. */
function nearestHour(now: number, zone: string, today: string): number | null {
  const at = now + hourMs / 2;
  return dayOf(at, zone) === today ? hourOf(at, zone) : null;
}
