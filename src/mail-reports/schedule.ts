/**
 * When a report is due, and which complete period it covers.
 *
 *     daily      every day, about the day before
 *     weekly     on Monday, about the week before (Monday to Sunday)
 *     monthly    on the first day of the month, about the month before
 *
 * The report's zone and time of day decide when it is sent, but never before the last day has ended in the zones of all its bots.
 */
import { weekdayOf } from '../periods.ts';
import { instantAt } from '../sends/quiet-hours.ts';
import { addDays, dayOf, dayStart } from '../time.ts';

export const frequencies = ['daily', 'weekly', 'monthly'] as const;
export type Frequency = (typeof frequencies)[number];

export type Schedule = {
  frequency: Frequency;
  timeZone: string;
  minuteOfDay: number;
  /** Zones of the bots. */
  botZones: readonly string[];
};

/** `at` in ms. The days `first` to `last` are complete then. */
export type Due = { at: number; first: string; last: string };

/** The largest distance between two due times, with the distance of zones. */
const daysMax = 34;

/** The first due time after `now` (ms). */
export function nextDue(schedule: Schedule, now: number): Due {
  const today = dayOf(now, schedule.timeZone);
  for (let ahead = -2; ahead <= daysMax; ahead += 1) {
    const due = dueOn(schedule, addDays(today, ahead));
    if (due !== null && due.at > now) return due;
  }
  throw new Error(`a ${schedule.frequency} report is never due`);
}

/** The latest due time up to `now` (ms). */
export function latestDue(schedule: Schedule, now: number): Due {
  const today = dayOf(now, schedule.timeZone);
  for (let ago = 0; ago <= daysMax; ago += 1) {
    const due = dueOn(schedule, addDays(today, -ago));
    if (due !== null && due.at <= now) return due;
  }
  throw new Error(`a ${schedule.frequency} report was never due`);
}

/** Null: no period begins on this day. */
function dueOn({ frequency, timeZone, minuteOfDay, botZones }: Schedule, day: string): Due | null {
  if (startOf(frequency, day) !== day) return null;
  const last = addDays(day, -1);
  const ends = botZones.map((zone) => dayStart(day, zone));
  return {
    at: Math.max(instantAt(day, minuteOfDay, timeZone), ...ends),
    first: startOf(frequency, last),
    last,
  };
}

/** The first day of the period that contains the day. */
function startOf(frequency: Frequency, day: string): string {
  if (frequency === 'monthly') return `${day.slice(0, 8)}01`;
  return frequency === 'weekly' ? addDays(day, 1 - weekdayOf(day)) : day;
}
