/**
 * The date range of a page: a named one, a number of days up to today, everything since the first day, or custom days. The address
 * holds it (`?days=28`, `?range=last-week`, `?since=2024-05-01`, `?from=2026-03-01&to=2026-03-09`), so that users can share it.
 */
import { addDays, countDays, dayOf } from '../../src/time.ts';
import type { Schema } from '../api/client.ts';

type Comparison = Schema['Overview']['comparison'];
type PeriodUnit = Schema['PeriodUnit'];

export const namedRanges = ['yesterday', 'this-week', 'last-week', 'this-month', 'last-month'] as const;
export type NamedRange = (typeof namedRanges)[number];

export type Days = {
  /** First and last day, both included. */
  from: string;
  to: string;
};

export type Range = Days & {
  /** The number of days up to today; null for other ranges. */
  days: number | null;
  /** `all`: since the first day with figures. Null: days up to today, or custom days. */
  name: NamedRange | 'all' | null;
};

/** A range with the choices of its charts. */
export type View = Range & { by: PeriodUnit; comparison: Comparison };

type Query = Readonly<Record<string, string>>;

/** The offered numbers of days. */
export const usualDays = [1, 7, 28, 90, 365] as const;
export const daysDefault = 28;
/** The longest range that every operation accepts. */
export const daysMax = 3_700;
/** Longer ranges are shown by week, and the longest by month. */
const byDayMax = 400;
const byWeekMax = 1_100;

/** The range of an address; the default range if the address has a problem (problemOfQuery). `now` in ms, days in the zone. */
export function rangeOf(query: Query, zone: string, now: number): Range {
  const { from, to, since, range } = query;
  const today = dayOf(now, zone);
  if (isDay(from) && isDay(to) && problemOfRange(from, to) === null)
    return { from, to, days: null, name: null };
  const name = namedRanges.find((one) => one === range);
  if (name) return { ...daysOf(name, today), days: null, name };
  if (isDay(since) && since <= today) {
    const earliest = addDays(today, 1 - daysMax);
    return { from: since < earliest ? earliest : since, to: today, days: null, name: 'all' };
  }
  const days = usualDays.find((count) => String(count) === query.days) ?? daysDefault;
  return { from: addDays(today, 1 - days), to: today, days, name: null };
}

/** The range of an address with its grouping (`by`) and comparison (`compare`). */
export function viewOf(query: Query, zone: string, now: number): View {
  const range = rangeOf(query, zone, now);
  return { ...range, by: unitOf(query, range), comparison: comparisonOf(query) };
}

/** The first and last day of a named range. A running week or month has its future days too. */
export function daysOf(name: NamedRange, today: string): Days {
  const monday = addDays(today, 1 - (new Date(`${today}T00:00:00Z`).getUTCDay() || 7));
  switch (name) {
    case 'yesterday':
      return { from: addDays(today, -1), to: addDays(today, -1) };
    case 'this-week':
      return { from: monday, to: addDays(monday, 6) };
    case 'last-week':
      return { from: addDays(monday, -7), to: addDays(monday, -1) };
    case 'this-month':
      return monthOf(today, 0);
    case 'last-month':
      return monthOf(today, -1);
  }
}

/** The days before (-1) or after (1) a range, as many, or as many calendar months; a usual range if they are one. */
export function stepRange({ from, to }: Days, direction: 1 | -1, today: string): Range {
  const isMonths = from.endsWith('-01') && addDays(to, 1).endsWith('-01');
  const months = isMonths ? monthsBetween(from, addDays(to, 1)) : 0;
  const count = countDays(from, to);
  const next =
    months > 0
      ? { from: monthOf(from, direction * months).from, to: monthOf(to, direction * months).to }
      : { from: addDays(from, direction * count), to: addDays(to, direction * count) };
  return knownRange(next, today);
}

function knownRange(days: Days, today: string): Range {
  const isSame = (other: Days): boolean => other.from === days.from && other.to === days.to;
  const name = namedRanges.find((one) => isSame(daysOf(one, today))) ?? null;
  const isUsual = usualDays.find((count) => isSame({ from: addDays(today, 1 - count), to: today }));
  return { ...days, days: isUsual ?? null, name: isUsual === undefined ? name : null };
}

/** The calendar month of a day, moved by a number of months. */
export function monthOf(day: string, by: number): Days {
  const month = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 + by;
  const first = (number: number) =>
    `${Math.floor(number / 12)}-${String((number % 12) + 1).padStart(2, '0')}-01`;
  return { from: first(month), to: addDays(first(month + 1), -1) };
}

function monthsBetween(from: string, end: string): number {
  return (
    (Number(end.slice(0, 4)) - Number(from.slice(0, 4))) * 12 +
    Number(end.slice(5, 7)) -
    Number(from.slice(5, 7))
  );
}

/** The query of a range; null removes a parameter. */
export function queryOfRange({ from, to, days, name }: Range): Record<string, string | null> {
  const none = { from: null, to: null, days: null, range: null, since: null };
  if (name === 'all') return { ...none, since: from };
  if (name !== null) return { ...none, range: name };
  if (days === null) return { ...none, from, to };
  return { ...none, days: days === daysDefault ? null : String(days) };
}

/** The parameters of a view, which the next page keeps. */
export const viewParameters = ['days', 'from', 'to', 'range', 'since', 'by', 'compare'] as const;

export const comparisonQueries = {
  'previous-period': null,
  'same-period-last-year': 'year',
  none: 'none',
} as const satisfies Record<Comparison, string | null>;

function comparisonOf({ compare }: Query): Comparison {
  if (compare === 'year') return 'same-period-last-year';
  return compare === 'none' ? 'none' : 'previous-period';
}

export const units = ['day', 'week', 'month'] as const satisfies readonly PeriodUnit[];

/** Longer ranges are never by day: a chart of thousands of bars is unreadable. */
function unitOf({ by }: Query, range: Days): PeriodUnit {
  const shortest = shortestUnit(range);
  const chosen = units.find((unit) => unit === by);
  return chosen !== undefined && units.indexOf(chosen) >= units.indexOf(shortest) ? chosen : shortest;
}

export function shortestUnit({ from, to }: Days): PeriodUnit {
  const count = countDays(from, to);
  if (count <= byDayMax) return 'day';
  return count <= byWeekMax ? 'week' : 'month';
}

export type RangeProblem = 'unreadable' | 'backwards' | 'too-long';

/** The problem of an address's range; null if it is valid or absent. */
export function problemOfQuery({ from, to, days, range, since }: Query): RangeProblem | null {
  if (from !== undefined || to !== undefined) return problemOfRange(from ?? '', to ?? '');
  if (range !== undefined) return namedRanges.some((name) => name === range) ? null : 'unreadable';
  if (since !== undefined) return isDay(since) ? null : 'unreadable';
  return days === undefined || usualDays.some((count) => String(count) === days) ? null : 'unreadable';
}

/** The problem of two days as a range; null if the API accepts them. */
export function problemOfRange(from: string, to: string): RangeProblem | null {
  if (!isDay(from) || !isDay(to)) return 'unreadable';
  if (from > to) return 'backwards';
  return addDays(from, daysMax - 1) < to ? 'too-long' : null;
}

/** True for a calendar day `YYYY-MM-DD` in the years that Shoal supports. */
export function isDay(text: string | undefined): text is string {
  if (text === undefined || !/^2[01]\d\d-\d\d-\d\d$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === text;
}
