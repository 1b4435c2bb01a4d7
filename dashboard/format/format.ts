/**
 * Formats numbers, days, instants and durations with `Intl`, in the current language. Null means unknown and becomes a dash.
 */
import { locale } from '../preferences/language.ts';

export const unknown = '–';

const formatters = new Map<string, unknown>();

/** 12,345. */
export function number(amount: number | null): string {
  return value(amount, 'number', { maximumFractionDigits: 2 });
}

/** 12K, 1.2萬: for axes and narrow cells. */
export function compact(amount: number | null): string {
  return value(amount, 'compact', { notation: 'compact', maximumFractionDigits: 1 });
}

/** +12, −3, 0. */
export function signed(amount: number | null): string {
  return value(amount, 'signed', { signDisplay: 'exceptZero', maximumFractionDigits: 2 });
}

/** 20,971,520 bytes → 20.97 MB. */
export function megabytes(bytes: number): string {
  return value(bytes / 1_000_000, 'megabytes', {
    style: 'unit',
    unit: 'megabyte',
    maximumFractionDigits: 2,
  });
}

/** 0.1234 → 12.34%. */
export function percent(rate: number | null): string {
  return value(rate, 'percent', { style: 'percent', maximumFractionDigits: 2 });
}

/** 0.5764 → 58%, 0.0012 → <1%: a whole share, never rounded to 0. */
export function wholePercent(rate: number | null): string {
  if (rate === null) return unknown;
  const isSmall = rate !== 0 && Math.abs(rate) < 0.005;
  const text = value(isSmall ? 0.01 : rate, 'whole percent', { style: 'percent', maximumFractionDigits: 0 });
  return isSmall ? `<${text}` : text;
}

/** 4 → 4.0%: a percentage that its source has rounded to one decimal. */
export function share(percentage: number | null): string {
  return value(percentage === null ? null : percentage / 100, 'share', {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });
}

/** 0.0123 → +1.23%: a difference of two rates, in percentage points. */
export function signedPercent(rate: number | null): string {
  return value(rate, 'signed percent', {
    style: 'percent',
    maximumFractionDigits: 2,
    signDisplay: 'exceptZero',
  });
}

/** `2026-03-01` → 1 Mar 2026. */
export function day(day: string): string {
  return onDay(day, 'day', { dateStyle: 'medium' });
}

/** `2026-03-01` → 1 Mar: on axes. */
export function shortDay(day: string): string {
  return onDay(day, 'short day', { month: 'short', day: 'numeric' });
}

/** `2026-03-01` → Mar 26: on axes. */
export function shortMonth(day: string): string {
  return onDay(day, 'short month', { month: 'short', year: '2-digit' });
}

/** `2026-03-01` → Sunday, 1 March 2026. */
export function longDay(day: string): string {
  return onDay(day, 'long day', { dateStyle: 'full' });
}

/** `2026-03-01` → March 2026. */
export function month(day: string): string {
  return onDay(day, 'month', { month: 'long', year: 'numeric' });
}

/** 1–28 Mar 2026. */
export function days(from: string, to: string): string {
  const formatter = memoized(
    'days',
    () => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeZone: 'UTC' }),
  );
  return formatter.formatRange(noonOf(from), noonOf(to));
}

/** An instant (ISO 8601) as date and time of the zone. */
export function dateTime(instant: string | null, zone: string): string {
  if (instant === null) return unknown;
  return memoized(
    `date and time ${zone}`,
    () => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short', timeZone: zone }),
  ).format(Date.parse(instant));
}

/** Only the time of an instant. */
export function time(instant: string | null, zone: string): string {
  if (instant === null) return unknown;
  return memoized(
    `time ${zone}`,
    () => new Intl.DateTimeFormat(locale(), { timeStyle: 'short', timeZone: zone }),
  ).format(Date.parse(instant));
}

/** An instant relative to `now` (ms): 5 minutes ago. */
export function ago(instant: string | null, now: number): string {
  if (instant === null) return unknown;
  const seconds = (Date.parse(instant) - now) / 1_000;
  const size = Math.abs(seconds);
  const [unit, length] = agoUnits.find(([, at]) => size >= at) ?? (['second', 1] as const);
  return memoized('ago', () => new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' })).format(
    Math.trunc(seconds / length),
    unit,
  );
}

/** 3,725 → 1 hr 2 min: the two largest units. */
export function duration(seconds: number | null): string {
  if (seconds === null) return unknown;
  const whole = Math.round(seconds);
  const parts: [DurationUnit, number][] = [
    ['days', Math.floor(whole / 86_400)],
    ['hours', Math.floor(whole / 3_600) % 24],
    ['minutes', Math.floor(whole / 60) % 60],
    ['seconds', whole % 60],
  ];
  const first = parts.findIndex(([, count]) => count > 0);
  const isZero = first === -1;
  const largest = isZero ? parts.slice(-1) : parts.slice(first, first + 2);
  const formatter = memoized(
    isZero ? 'no duration' : 'duration',
    () => new Intl.DurationFormat(locale(), { style: 'short', secondsDisplay: isZero ? 'always' : 'auto' }),
  );
  return formatter.format(Object.fromEntries(largest));
}

/** Monday … Sunday, short, by ISO number 1 to 7. */
export function weekday(isoNumber: number): string {
  // 2024-01-01 was a Monday.
  return onDay(`2024-01-0${isoNumber}`, 'weekday', { weekday: 'short' });
}

/** A zone with its offset at `now` (ms): Asia/Taipei (GMT+8). */
export function zoneName(zone: string, now: number): string {
  const offset = memoized(
    `zone ${zone}`,
    () => new Intl.DateTimeFormat(locale(), { timeZone: zone, timeZoneName: 'shortOffset' }),
  )
    .formatToParts(now)
    .find(({ type }) => type === 'timeZoneName')?.value;
  return offset ? `${zone} (${offset})` : zone;
}

type DurationUnit = 'days' | 'hours' | 'minutes' | 'seconds';
const agoUnits = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

function value(amount: number | null, name: string, options: Intl.NumberFormatOptions): string {
  return amount === null
    ? unknown
    : memoized(name, () => new Intl.NumberFormat(locale(), options)).format(amount);
}

// A day has no time zone.
function onDay(day: string, name: string, options: Intl.DateTimeFormatOptions): string {
  return memoized(name, () => new Intl.DateTimeFormat(locale(), { ...options, timeZone: 'UTC' })).format(
    noonOf(day),
  );
}

function noonOf(day: string): number {
  return Date.parse(`${day}T12:00:00Z`);
}

/** Creating a formatter costs much more than using it. */
function memoized<Formatter>(name: string, create: () => Formatter): Formatter {
  const key = `${locale()} ${name}`;
  const existing = formatters.get(key);
  // The key decides the type.
  if (existing !== undefined) return existing as Formatter;
  const created = create();
  formatters.set(key, created);
  return created;
}
