/**
 * The optional expiry of a token. From that instant on the token is refused.
 */
import { invalidInput } from '../errors.ts';

/** The expiry for the database. `expiresAt` in ms, null: none. Throws Refusal INPUT_INVALID for a past one. */
export function checkEnd(expiresAt: number | null, now: number): Date | null {
  if (expiresAt === null) return null;
  if (expiresAt > now) return new Date(expiresAt);
  throw invalidInput('The expiry time of a token must be in the future.');
}
