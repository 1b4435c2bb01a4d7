/**
 * The optional end of a token. A token is valid before that instant, and refused from it on.
 */
import { Refusal } from '../errors.ts';

/** The end as it is stored. `expiresAt` in ms, null: no end. Throws Refusal INPUT_INVALID for one that is not ahead. */
export function checkEnd(expiresAt: number | null, now: number): Date | null {
  if (expiresAt === null) return null;
  if (expiresAt > now) return new Date(expiresAt);
  throw new Refusal('INPUT_INVALID', 'The expiry time of a token must be in the future.');
}
