/**
 * Time: the clock, and calendar days in a named zone.
 *
 * A day has the form `YYYY-MM-DD`. It belongs to a zone: the bot's own, or LINE's (UTC+9) for LINE's own figures. Zones are IANA
 * names, with their daylight saving time.
 *
 * Days and instants from outside are in the years 2000 to 2199. `isDay`, `isInstant` and `isTime` check this for API calls, commands,
 * imports and cursors.
 */

/** The zone of LINE's days: UTC+9 all year. */
export const lineZone = 'Asia/Tokyo';

export const secondMs = 1_000;
export const minuteMs = 60 * secondMs;
/** Zone offsets change only at quarter hours (UTC). Within one, all instants have the same day and hour in every zone. */
export const quarterMs = 15 * minuteMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

export const firstDay = '2000-01-01';
export const lastDay = '2199-12-31';
/** The first valid instant (ms), and the first one after the valid range. */
export const firstTime = Date.UTC(2000, 0, 1);
export const endOfTime = Date.UTC(2200, 0, 1);

/** Returns milliseconds since 1970-01-01T00:00Z. Passed in, so that tests control the time. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();

/** True for an IANA time zone that the runtime supports. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The calendar day of the instant (ms) in the zone, as `YYYY-MM-DD`. */
export function dayOf(at: number, zone: string): string {
  return localTime(at, zone).day;
}

/** The hour of the day (0 to 23, local time) of the instant (ms) in the zone. */
export function hourOf(at: number, zone: string): number {
  return localTime(at, zone).hour;
}

/** `YYYY-MM-DD`, `count` days later (negative: earlier). */
export function addDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * dayMs).toISOString().slice(0, 10);
}

/** The number of days from the first to the last, both included. 0 if the first is later. */
export function countDays(first: string, last: string): number {
  return Math.max(0, Math.round((Date.parse(last) - Date.parse(first)) / dayMs) + 1);
}

/** The days from the first to the last, both included. */
export function daysBetween(first: string, last: string): string[] {
  return Array.from({ length: countDays(first, last) }, (_, index) => addDays(first, index));
}

/** The first instant (ms) of the day in LINE's zone. Worked example: 2026-03-01 begins at 2026-02-28T15:00Z. */
export function lineDayStart(day: string): number {
  return Date.parse(`${day}T00:00:00+09:00`);
}

/**
 * The first instant (ms) of the day in the zone, or of the next day if the zone skipped this one.
 * Worked example: 2026-03-01 begins in Asia/Taipei at 2026-02-28T16:00Z.
 */
export function dayStart(day: string, zone: string): number {
  return firstInstant(day, (at) => dayOf(at, zone) < day);
}

/** The first instant (ms) of the day at which its wall clock shows the hour (0 to 23) or a later one. */
export function hourStart(day: string, hour: number, zone: string): number {
  return firstInstant(day, (at) => {
    const time = localTime(at, zone);
    return time.day < day || (time.day === day && time.hour < hour);
  });
}

/** The first instant near the day that is not before the wanted one. */
function firstInstant(day: string, isBefore: (at: number) => boolean): number {
  // No zone is more than 14 hours from UTC, and days and hours change only at quarter hours.
  const midnight = Date.parse(`${day}T00:00:00Z`);
  let before = (midnight - 15 * hourMs) / quarterMs;
  let within = (midnight + 40 * hourMs) / quarterMs;
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2);
    if (isBefore(middle * quarterMs)) before = middle;
    else within = middle;
  }
  return within * quarterMs;
}

/** True for a calendar day from `firstDay` to `lastDay`. */
export function isDay(text: string): boolean {
  return isCalendarDay(text) && text >= firstDay && text <= lastDay;
}

/** True for a calendar day of any year from 0001 to 9999, such as a birthday. */
export function isCalendarDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text.startsWith('0000')) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return Number.isFinite(at) && new Date(at).toISOString().startsWith(text);
}

const instantForm =
  /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;

/** True for ISO 8601 with a zone, in the years 2000 to 2199 (UTC). */
export function isInstant(text: string): boolean {
  const day = instantForm.exec(text)?.[1];
  return day !== undefined && isCalendarDay(day) && isTime(Date.parse(text));
}

/** True for milliseconds since 1970 in the years 2000 to 2199 (UTC). */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= firstTime && value < endOfTime;
}

const cachedQuartersMax = 20_000;

type LocalTime = { day: string; hour: number };
type Zone = { format: Intl.DateTimeFormat; quarters: Map<number, LocalTime> };
const zones = new Map<string, Zone>();

function localTime(at: number, zone: string): LocalTime {
  const { format, quarters } = zones.get(zone) ?? addZone(zone);
  const quarter = Math.floor(at / quarterMs);
  let time = quarters.get(quarter);
  if (time === undefined) {
    if (quarters.size >= cachedQuartersMax) quarters.clear();
    const [day = '', hour] = format.format(quarter * quarterMs).split(', ');
    time = { day, hour: Number(hour) };
    quarters.set(quarter, time);
  }
  return time;
}

function addZone(name: string): Zone {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: name,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    hourCycle: 'h23',
  });
  const zone = { format, quarters: new Map() };
  zones.set(name, zone);
  return zone;
}
