/**
 * Quiet hours of a send: a daily range in its zone in which nothing is sent.
 */
import { addDays, dayOf, dayStart, minuteMs } from '../time.ts';
import type { QuietHours } from './sends.ts';

/** When the quiet hours at `now` (ms) end; null: there are none now. On days of a time change the limits move by the change. */
export function quietUntil(
  quietHours: QuietHours | null,
  { zone, now }: { zone: string; now: number },
): number | null {
  if (quietHours === null) return null;
  const today = dayOf(now, zone);
  const { from, until } = quietHours;
  for (const day of [addDays(today, -1), today]) {
    const startsAt = dayStart(day, zone) + from * minuteMs;
    const endsAt = dayStart(until > from ? day : addDays(day, 1), zone) + until * minuteMs;
    if (startsAt <= now && now < endsAt) return endsAt;
  }
  return null;
}
