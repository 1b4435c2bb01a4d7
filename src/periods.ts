/**
 * Periods of days: a range cut into days, ISO weeks (Monday to Sunday) or calendar months, as pure code.
 *
 * The first and the last period are cut at the ends of the range, so that what is summed over the periods is the sum of the
 * range, and no day outside of it is in any of them.
 */
import { addDays, countDays, dayMs } from './time.ts';

export const periodUnits = ['day', 'week', 'month'] as const;
export type PeriodUnit = (typeof periodUnits)[number];

/** `name`: 2026-03-01, 2026-W09 or 2026-03. `first` and `last` (YYYY-MM-DD) are both within it. */
export type Period = { name: string; first: string; last: string };

/**
 * The periods from the first to the last day of a range, in order. Worked example: 2026-02-27 (a Friday) to 2026-03-03 by
 * week gives 2026-W09 of three days (up to Sunday 2026-03-01) and 2026-W10 of two.
 */
export function periodsOf({ from, to, by }: { from: string; to: string; by: PeriodUnit }): Period[] {
  const periods: Period[] = [];
  for (let first = from; countDays(first, to) > 0; ) {
    const { name, last } = shapes[by](first);
    periods.push({ name, first, last: last < to ? last : to });
    first = addDays(last, 1);
  }
  return periods;
}

/** The name and the last day of the period that a day lies in. */
const shapes: Record<PeriodUnit, (day: string) => { name: string; last: string }> = {
  day: (day) => ({ name: day, last: day }),
  week(day) {
    const last = addDays(day, 7 - weekdayOf(day));
    // A week belongs to the year of its Thursday, and is that year's first when that is its first Thursday (ISO 8601).
    const thursday = addDays(last, -3);
    const year = thursday.slice(0, 4);
    const daysBefore = (Date.parse(thursday) - Date.parse(`${year}-01-01`)) / dayMs;
    return { name: `${year}-W${String(Math.floor(daysBefore / 7) + 1).padStart(2, '0')}`, last };
  },
  month(day) {
    const name = day.slice(0, 7);
    // From the 28th it is less than 4 days to the next month, and more than 0.
    const next = addDays(`${name}-28`, 4);
    return { name, last: addDays(next, -Number(next.slice(8))) };
  },
};

/** 1 (Monday) to 7 (Sunday). */
function weekdayOf(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay() || 7;
}
