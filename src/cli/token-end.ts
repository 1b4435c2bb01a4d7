/**
 * `--expires` of the commands that make tokens.
 */
import { Refusal } from '../errors.ts';
import { readInstant } from '../imports/values.ts';
import { dayMs } from '../time.ts';

export const endOption = '--expires <when>';
export const endHelp =
  'when the token expires: a number of days (90d), a time with its zone (2026-12-31T23:59:59+08:00), or a date (UTC). Never, if left out';

const daysMax = 10_000;

/** The instant (ms); null: the option was left out. Throws Refusal INPUT_INVALID. */
export function readEnd(text: string | undefined, now: number): number | null {
  if (text === undefined) return null;
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  if (days === undefined) return readInstant(text, 'UTC');
  if (Number(days) <= daysMax) return now + Number(days) * dayMs;
  throw new Refusal('INPUT_INVALID', `--expires takes at most ${daysMax} days.`);
}
