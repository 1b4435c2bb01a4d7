/**
 * Periods: a range of days, split into days, ISO weeks (Monday to Sunday) or calendar months.
 *
 * The first and the last period are cut at the ends of the range. No period contains a day outside the range, and sums of all periods
 * equal the sum of the range.
 */
import { invalidInput } from './errors.ts';
import { addDays, countDays, dayMs, firstDay, isDay, lastDay } from './time.ts';

export const periodUnits = ['day', 'week', 'month'] as const;
export type PeriodUnit = (typeof periodUnits)[number];

/** `name`: 2026-03-01, 2026-W09 or 2026-03. `first` and `last` (YYYY-MM-DD) are included. */
export type Period = { name: string; first: string; last: string };

/** Returns the day of an option or parameter. Throws Refusal INPUT_INVALID. */
export function readDay(name: string, text: string): string {
  if (isDay(text)) return text;
  const form = `a calendar day from ${firstDay} to ${lastDay}`;
  throw invalidInput(`${name} must be ${form}, not ${JSON.stringify(text)}.`);
}

/**
 * Returns the periods of a range in order. Worked example: 2026-02-27 (a Friday) to 2026-03-03 by week is 2026-W09 with three days (up
 * to Sunday 2026-03-01) and 2026-W10 with two.
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

/** The name and the last day of the period of a day. */
const shapes: Record<PeriodUnit, (day: string) => { name: string; last: string }> = {
  day: (day) => ({ name: day, last: day }),
  week(day) {
    const last = addDays(day, 7 - weekdayOf(day));
    // A week belongs to the year of its Thursday. Week 1 has the first Thursday of the year (ISO 8601).
    const thursday = addDays(last, -3);
    const year = thursday.slice(0, 4);
    const daysBefore = (Date.parse(thursday) - Date.parse(`${year}-01-01`)) / dayMs;
    return { name: `${year}-W${String(Math.floor(daysBefore / 7) + 1).padStart(2, '0')}`, last };
  },
  month(day) {
    const name = day.slice(0, 7);
    // The next month starts 1 to 4 days after the 28th.
    const next = addDays(`${name}-28`, 4);
    return { name, last: addDays(next, -Number(next.slice(8))) };
  },
};

/** 1 (Monday) to 7 (Sunday). */
export function weekdayOf(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay() || 7;
}
