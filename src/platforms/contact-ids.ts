/**
 * Ids of contacts as people write them: which form each platform's ids have, and the one spelling in which they are stored.
 *
 * Webhooks bring ids from the platform itself, so only ids that a person typed or a file holds are checked.
 */
import { readers } from './index.ts';
import type { PlatformName } from './platform.ts';

/** The stored spelling of an id: of a WhatsApp number the digits. */
export function normalContactId(platform: PlatformName, id: string): string {
  return readers[platform].people.normal(id);
}

/** Why no contact of the platform can have the id; null: one can. */
export function contactIdProblem(platform: PlatformName, id: string): string | null {
  const { form, expected } = readers[platform].contactIds;
  if (form.test(id)) return null;
  return `An id on ${platform} must be ${expected}, not ${JSON.stringify(id)}.`;
}

/** True for a number that a spreadsheet has rounded, such as 8.86933E+11: its digits are lost. */
export function isRoundedNumber(text: string): boolean {
  return /^[+-]?\d+([.,]\d+)?E[+-]?\d+$/i.test(text);
}
