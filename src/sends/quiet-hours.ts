/**
 * Local times of a send: its start, and the daily quiet hours in which nothing is sent.
 */
import { invalidInput } from '../errors.ts';
import { addDays, dayMs, dayOf, dayStart, hourMs, isCalendarDay, minuteMs } from '../time.ts';
import type { QuietHours } from './sends.ts';

/** Quiet hours from times of day such as 22:00. Throws Refusal INPUT_INVALID. */
export function readQuietHours({ from, until }: { from: string; until: string }): QuietHours {
  if (from === until) throw invalidInput('Quiet hours must not last the whole day.');
  return { from: readTimeOfDay(from), until: readTimeOfDay(until) };
}

/** The instant (ms) of a local time such as 2026-12-01T09:00. Throws Refusal INPUT_INVALID. */
export function readLocalTime(text: string, zone: string): number {
  const [day = '', time = ''] = text.split('T');
  if (!isCalendarDay(day)) throw invalidInput(`There is no day ${day}.`);
  return instantAt(day, readTimeOfDay(time), zone);
}

function readTimeOfDay(text: string): number {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hours === undefined || minutes === undefined)
    throw invalidInput(`A time of day must have the form 09:00, not ${JSON.stringify(text.slice(0, 60))}.`);
  return (Number(hours) * hourMs) / minuteMs + Number(minutes);
}

/** When the quiet hours at `now` (ms) end; null: there are none now. */
export function quietUntil(
  quietHours: QuietHours | null,
  { zone, now }: { zone: string; now: number },
): number | null {
  if (quietHours === null) return null;
  const { from, until } = quietHours;
  const today = dayOf(now, zone);
  for (const day of [addDays(today, -1), today]) {
    const startsAt = instantAt(day, from, zone);
    const endsAt = instantAt(until > from ? day : addDays(day, 1), until, zone);
    if (startsAt <= now && now < endsAt) return endsAt;
  }
  return null;
}

/** The instant (ms) at these minutes of a day. A time that a clock change skips is as much later. */
export function instantAt(day: string, minutes: number, zone: string): number {
  const at = dayStart(day, zone) + minutes * minuteMs;
  // The day may have a clock change before that time.
  const late = (minutesOf(at, zone) - minutes) * minuteMs;
  return at - (late > dayMs / 2 ? late - dayMs : late < -dayMs / 2 ? late + dayMs : late);
}

/** The minutes of the day in the zone. */
function minutesOf(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en', {
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
    timeZone: zone,
  })
    .formatToParts(at)
    .map(({ type, value }) => [type, Number(value)]);
  const { hour = 0, minute = 0 } = Object.fromEntries(parts);
  return (hour * hourMs) / minuteMs + minute;
}
