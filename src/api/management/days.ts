/**
 * The days of a call's range.
 */
import { Refusal } from '../../errors.ts';
import { addDays, dayOf, dayStart, isTimeZone } from '../../time.ts';

export type Days = { zone: string; from: string; to: string };

export const daysShown = 30;

/** The call's time zone, else the bot's. Throws Refusal INPUT_INVALID for an unknown zone. */
export function zoneOf({ bot, query }: { bot: { timeZone: string }; query: { zone?: string } }): string {
  const { zone = bot.timeZone } = query;
  if (isTimeZone(zone)) return zone;
  throw new Refusal('INPUT_INVALID', `zone must be a name such as Asia/Taipei, not ${JSON.stringify(zone)}.`);
}

/** The call's days; by default the last 30 up to today. Throws Refusal INPUT_INVALID for none, or more than `daysMax`. */
export function daysOf(
  { query }: { query: { from?: string; to?: string } },
  { zone, now, daysMax }: { zone: string; now: number; daysMax?: number },
): Days {
  const { to = dayOf(now, zone), from = addDays(to, 1 - daysShown) } = query;
  if (from > to) throw new Refusal('INPUT_INVALID', `from must not be after to, ${to}.`);
  if (daysMax !== undefined && addDays(from, daysMax) <= to) {
    throw new Refusal('INPUT_INVALID', `from must be at most ${daysMax - 1} days before to, ${to}.`);
  }
  return { zone, from, to };
}

/** The instants (ms) at which the days begin and end. */
export function instantsOf({ zone, from, to }: Days): { from: number; until: number } {
  return { from: dayStart(from, zone), until: dayStart(addDays(to, 1), zone) };
}
