/**
 * Time: the clock that is passed in, and calendar days in a named zone.
 *
 * A day is written `YYYY-MM-DD`. It belongs to a zone: the bot's own, or LINE's (UTC+9) for the figures that LINE
 * reports about itself. Zones are IANA names; daylight saving is theirs.
 */

/** The zone of LINE's own days: UTC+9 the whole year. */
export const lineZone = 'Asia/Tokyo';

export const secondMs = 1_000;
export const minuteMs = 60 * secondMs;
/** Zone offsets change only on quarter hours (UTC), so in every zone the instants of one have the same day and hour. */
export const quarterMs = 15 * minuteMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** Milliseconds since 1970-01-01T00:00Z, from wherever the caller takes its time. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();

/** True for a name that the runtime knows as an IANA time zone. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The calendar day on which the instant (ms) lies in the zone, as `YYYY-MM-DD`. */
export function dayOf(at: number, zone: string): string {
  return daysOfZone(zone).dayOf(at);
}

/** The hour of the day (0 to 23, as the clock on the wall shows it) in which the instant (ms) lies in the zone. */
export function hourOf(at: number, zone: string): number {
  return daysOfZone(zone).hourOf(at);
}

/** `YYYY-MM-DD`, so many days later (negative: earlier). */
export function addDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * dayMs).toISOString().slice(0, 10);
}

/** The first instant (ms) of the day in LINE's zone. Worked example: 2026-03-01 begins at 2026-02-28T15:00Z. */
export function lineDayStart(day: string): number {
  return Date.parse(`${day}T00:00:00+09:00`);
}

/**
 * The first instant (ms) of the day in the zone; of the next day where the zone skipped this one.
 * Worked example: 2026-03-01 begins in Asia/Taipei at 2026-02-28T16:00Z.
 */
export function dayStart(day: string, zone: string): number {
  // No zone is further than 14 hours from UTC, and days change on quarter hours only.
  const midnight = Date.parse(`${day}T00:00:00Z`);
  let before = (midnight - 15 * hourMs) / quarterMs;
  let within = (midnight + 15 * hourMs) / quarterMs;
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2);
    if (dayOf(middle * quarterMs, zone) < day) before = middle;
    else within = middle;
  }
  return within * quarterMs;
}

/** True for a real calendar day written `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return Number.isFinite(at) && new Date(at).toISOString().startsWith(text);
}

const quartersKeptMax = 20_000;

class ZoneDays {
  readonly #format: Intl.DateTimeFormat;
  readonly #quarters = new Map<number, { day: string; hour: number }>();

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      hourCycle: 'h23',
    });
  }

  dayOf(at: number): string {
    return this.#quarterOf(at).day;
  }

  hourOf(at: number): number {
    return this.#quarterOf(at).hour;
  }

  #quarterOf(at: number): { day: string; hour: number } {
    const quarter = Math.floor(at / quarterMs);
    let known = this.#quarters.get(quarter);
    if (known === undefined) {
      if (this.#quarters.size >= quartersKeptMax) this.#quarters.clear();
      const [day = '', hour] = this.#format.format(quarter * quarterMs).split(', ');
      known = { day, hour: Number(hour) };
      this.#quarters.set(quarter, known);
    }
    return known;
  }
}

const zones = new Map<string, ZoneDays>();

function daysOfZone(zone: string): ZoneDays {
  let days = zones.get(zone);
  if (!days) {
    days = new ZoneDays(zone);
    zones.set(zone, days);
  }
  return days;
}
