/**
 * Parsers of values from the command line and from fields of import files. Each throws INPUT_INVALID with the expected form.
 */
import { Refusal } from '../errors.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { dayStart, isDay, isInstant } from '../time.ts';

/** The form of a time, for the help of commands. */
export const instantHelp =
  "ISO 8601 with its zone (2026-12-31T23:59:59+08:00), or a date: the start of that day in the bot's zone";

export const createContactsHelp = 'add unknown contacts (this does not make them followers)';

export function readPlatform(text: string): PlatformName {
  const platform = platformNames.find((name) => name === text);
  return platform ?? refuse(`The platform must be one of ${platformNames.join(', ')}`, text);
}

/** A whole number with an optional minus sign; the ledger checks its range. */
export function readAmount(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) refuse('The amount must be a whole number', text);
  return Number(text);
}

/** An instant (ms); a plain date is the start of that day in the zone. */
export function readInstant(text: string, zone: string): number {
  if (isDay(text)) return dayStart(text, zone);
  if (isInstant(text)) return Date.parse(text);
  return refuse(`The time must be ${instantHelp}; the years are 2000 to 2199`, text);
}

function refuse(expectation: string, text: string): never {
  throw new Refusal('INPUT_INVALID', `${expectation}, not ${JSON.stringify(text)}.`);
}
