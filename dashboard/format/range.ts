/**
 * The date range of a page: today, a number of days up to today, or a custom range. The address holds it (`?days=28` or
 * `?from=2026-03-01&to=2026-03-09`), so that users can share it.
 */
import { addDays, dayMs, dayOf } from '../../src/time.ts';

export type Range = {
  /** First and last day, both included. */
  from: string;
  to: string;
  /** The number of days up to today; null for a custom range. */
  days: number | null;
};

/** The offered ranges, in days. */
export const usualDays = [1, 7, 28, 90, 365] as const;
export const daysDefault = 28;
/** The longest range that every operation accepts. */
export const daysMax = 1_100;

/** The range of an address; the default range if the address has a problem (problemOfQuery). `now` in ms, days in the zone. */
export function rangeOf(query: Readonly<Record<string, string>>, zone: string, now: number): Range {
  const { from, to } = query;
  if (isDay(from) && isDay(to) && problemOfRange(from, to) === null) return { from, to, days: null };
  const days = usualDays.find((count) => String(count) === query.days) ?? daysDefault;
  const today = dayOf(now, zone);
  return { from: addDays(today, 1 - days), to: today, days };
}

/** The query of a range; null removes a parameter. */
export function queryOfRange({ from, to, days }: Range): Record<string, string | null> {
  if (days === null) return { from, to, days: null };
  return { from: null, to: null, days: days === daysDefault ? null : String(days) };
}

export type RangeProblem = 'unreadable' | 'backwards' | 'too-long';

/** The problem of an address's range; null if it is valid or absent. */
export function problemOfQuery({ from, to, days }: Readonly<Record<string, string>>): RangeProblem | null {
  if (from !== undefined || to !== undefined) return problemOfRange(from ?? '', to ?? '');
  return days === undefined || usualDays.some((count) => String(count) === days) ? null : 'unreadable';
}

/** The problem of two days as a range; null if the API accepts them. */
export function problemOfRange(from: string, to: string): RangeProblem | null {
  if (!isDay(from) || !isDay(to)) return 'unreadable';
  if (from > to) return 'backwards';
  return addDays(from, daysMax - 1) < to ? 'too-long' : null;
}

/** The number of days from the first to the last, both included. */
export function daysWithin(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / dayMs) + 1;
}

/** True for a calendar day `YYYY-MM-DD` in the years that Shoal supports. */
export function isDay(text: string | undefined): text is string {
  if (text === undefined || !/^2[01]\d\d-\d\d-\d\d$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === text;
}
