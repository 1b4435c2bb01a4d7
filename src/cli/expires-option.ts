/**
 * `--expires` of the commands that create tokens.
 */
import { Refusal } from '../errors.ts';
import { readInstant } from '../imports/values.ts';
import { dayMs } from '../time.ts';

export const expiresOption = '--expires <when>';
export const expiresHelp =
  'when the token expires: a number of days (90d), a time with its zone (2026-12-31T23:59:59+08:00), or a date (UTC) (default: never)';

const daysMax = 10_000;

/** Returns the instant (ms), or null without the option. Throws Refusal INPUT_INVALID. */
export function readExpires(text: string | undefined, now: number): number | null {
  if (text === undefined) return null;
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  if (days === undefined) return readInstant(text, 'UTC');
  if (Number(days) <= daysMax) return now + Number(days) * dayMs;
  throw new Refusal('INPUT_INVALID', `--expires takes at most ${daysMax} days.`);
}
