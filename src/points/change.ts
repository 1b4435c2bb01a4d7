/**
 * Changes of points as callers request them, and the checks that need no account.
 */
import { invalidInput } from '../errors.ts';
import { endOfTime } from '../time.ts';
import type { Entry } from './entry.ts';

/**
 * A requested change. `expiresAt` in ms, null: never. The key makes it safe to repeat. Any change may be refused with INPUT_INVALID or
 * KEY_REUSED, and one that takes points with POINTS_INSUFFICIENT.
 */
export type PointChange = { contactId: string; key: string } & (
  | { kind: 'earn'; amount: number; expiresAt: number | null }
  /** Takes points, those that expire first before others. */
  | { kind: 'spend'; amount: number }
  /** The points keep their expiry. The result is the sender's. */
  | { kind: 'transfer'; toContactId: string; amount: number }
  /** An amount below 0 takes points; `expiresAt` is then null. */
  | { kind: 'adjust'; amount: number; expiresAt: number | null; reason: string }
  /**
   * Undoes the unexpired points of a contact's entry, once. Added points are taken back, first from lots with their expiry. Taken
   * points return with their expiry. Either entry of a transfer undoes both sides. May be refused with ENTRY_NOT_FOUND or
   * ENTRY_NOT_REVERSIBLE.
   */
  | { kind: 'reverse'; entryId: string }
  /** Takes all points. */
  | { kind: 'clear' }
);

export const amountMax = 1_000_000_000;
/** Far below the largest safe integer, so that accounts can still be merged. */
export const balanceMax = 1_000_000_000_000_000;
export const expiresAtMax = endOfTime - 1;
export const keyLengthMax = 200;
export const reasonLengthMax = 500;

/** Throws INPUT_INVALID for a change that no account allows. */
export function checkChange(change: PointChange): void {
  checkText('A key', change.key, keyLengthMax);
  if (change.kind === 'adjust') checkText('A reason', change.reason, reasonLengthMax);
  if (change.kind === 'reverse') checkEntryId(change.entryId);
  if ('amount' in change) checkAmount(change.kind === 'adjust' ? Math.abs(change.amount) : change.amount);
  if ('expiresAt' in change) checkExpiry(change.expiresAt);
  if (change.kind === 'adjust' && change.amount < 0 && change.expiresAt !== null) {
    throw invalidInput('Only added points can expire. Omit the expiry when points are taken.');
  }
}

function checkText(subject: string, text: string, lengthMax: number): void {
  // A lone surrogate would be stored as another character, so two keys could become one.
  if (text.length >= 1 && text.length <= lengthMax && !/[\p{Cc}\p{Cs}]/u.test(text)) return;
  const shown = JSON.stringify(text.slice(0, lengthMax + 1));
  throw invalidInput(`${subject} has 1 to ${lengthMax} characters and no control characters, not ${shown}.`);
}

function checkEntryId(entryId: string): void {
  if (/^\d{1,18}$/.test(entryId)) return;
  throw invalidInput(`An entry id is a number, not ${JSON.stringify(entryId.slice(0, 50))}.`);
}

function checkAmount(amount: number): void {
  if (Number.isInteger(amount) && amount >= 1 && amount <= amountMax) return;
  throw invalidInput(`An amount of points is a whole number from 1 to ${amountMax}, not ${amount}.`);
}

function checkExpiry(expiresAt: number | null): void {
  if (expiresAt === null || (Number.isInteger(expiresAt) && expiresAt <= expiresAtMax)) return;
  throw invalidInput('Points expire before the year 2200, or never.');
}

/** Whether the entry is the result of an earlier request for the same change. */
export function isSameChange(entry: Entry, change: PointChange): boolean {
  if (entry.kind !== change.kind || entry.contactId !== change.contactId || entry.bulk) return false;
  switch (change.kind) {
    case 'earn':
      return entry.amount === change.amount && entry.expiresAt === change.expiresAt;
    case 'spend':
      return entry.amount === -change.amount;
    case 'adjust':
      return (
        entry.amount === change.amount &&
        entry.expiresAt === change.expiresAt &&
        entry.reason === change.reason
      );
    case 'clear':
      return true;
    case 'transfer':
      return entry.amount === -change.amount && entry.pair?.contactId === change.toContactId;
    case 'reverse':
      return entry.reverses === change.entryId;
  }
}
