/**
 * Ids of contacts from input: the form of each platform's ids, and their stored spelling. Ids from webhooks are the platform's own and
 * are not checked.
 */
import { readers } from './index.ts';
import type { PlatformName } from './platform.ts';

/** The stored spelling of an id; for a WhatsApp number, its digits. */
export function normalContactId(platform: PlatformName, id: string): string {
  return readers[platform].people.normal(id);
}

/** The reason why no contact of the platform can have the id; null: the id is possible. */
export function contactIdProblem(platform: PlatformName, id: string): string | null {
  const { form, expected } = readers[platform].contactIds;
  if (form.test(id)) return null;
  return `An id on ${platform} must be ${expected}, not ${JSON.stringify(id)}.`;
}

/** True for a number that a spreadsheet has rounded, such as 8.86933E+11. */
export function isRoundedNumber(text: string): boolean {
  return /^[+-]?\d+([.,]\d+)?E[+-]?\d+$/i.test(text);
}
