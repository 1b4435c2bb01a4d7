/**
 * The days that a page is about: today, so many days up to today, or the reader's own; kept in the address (`?days=28`, or
 * `?from=2026-03-01&to=2026-03-09`), so that it can be sent to somebody.
 */
import { addDays, dayMs, dayOf } from '../../src/time.ts';

export type Range = {
  /** First and last day, both within. */
  from: string;
  to: string;
  /** So many days up to today; null: the reader's own. */
  days: number | null;
};

/** The ranges to choose from, in days. */
export const usualDays = [1, 7, 28, 90, 365] as const;
export const daysDefault = 28;
/** What the API answers at most, for every page. */
export const daysMax = 1_100;

/** The range that an address asks for; the usual range when it has a problem (problemOfQuery). `now` in ms, days in the zone. */
export function rangeOf(query: Readonly<Record<string, string>>, zone: string, now: number): Range {
  const { from, to } = query;
  if (isDay(from) && isDay(to) && problemOfRange(from, to) === null) return { from, to, days: null };
  const days = usualDays.find((count) => String(count) === query.days) ?? daysDefault;
  const today = dayOf(now, zone);
  return { from: addDays(today, 1 - days), to: today, days };
}

/** What the address has to say for it; null takes a name out. */
export function queryOfRange({ from, to, days }: Range): Record<string, string | null> {
  if (days === null) return { from, to, days: null };
  return { from: null, to: null, days: days === daysDefault ? null : String(days) };
}

export type RangeProblem = 'unreadable' | 'backwards' | 'too-long';

/** Why an address asks for no range that can be shown; null: it does, or asks for none. */
export function problemOfQuery({ from, to, days }: Readonly<Record<string, string>>): RangeProblem | null {
  if (from !== undefined || to !== undefined) return problemOfRange(from ?? '', to ?? '');
  return days === undefined || usualDays.some((count) => String(count) === days) ? null : 'unreadable';
}

/** Why two days are no range that the API answers; null: they are one. */
export function problemOfRange(from: string, to: string): RangeProblem | null {
  if (!isDay(from) || !isDay(to)) return 'unreadable';
  if (from > to) return 'backwards';
  return addDays(from, daysMax - 1) < to ? 'too-long' : null;
}

/** The number of days from the first to the last, both within. */
export function daysWithin(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / dayMs) + 1;
}

/** True for a day that the calendar has, `YYYY-MM-DD`, of the years that Shoal reads. */
export function isDay(text: string | undefined): text is string {
  if (text === undefined || !/^2[01]\d\d-\d\d-\d\d$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === text;
}
