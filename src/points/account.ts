/**
 * The rules of one contact's points (figures.md, section 7), as pure code.
 *
 * In: an account as it was read under its lock, and a change. Out: the entry that the change makes, or a refusal; the
 * account is altered in place and gathers what has to be written. Must hold after each change: balance = sum of entries =
 * sum of what is left in the lots, and nothing of a lot is spent from its `expiresAt` on.
 */
import { Refusal } from '../errors.ts';

export type EntryKind = 'earn' | 'spend' | 'expire' | 'clear';

/** A change that somebody asks for. `expiresAt` in ms, null: never. The key makes it safe to repeat. */
export type PointChange = { contactId: string; key: string } & (
  | { kind: 'earn'; amount: number; expiresAt: number | null }
  | { kind: 'spend'; amount: number }
  | { kind: 'clear' }
);

export type Entry = {
  contactId: string;
  kind: EntryKind;
  /** What it adds to the balance. */
  amount: number;
  balanceAfter: number;
  /** ms; earn: when the lot runs out (null: never); expire: when it did. */
  expiresAt: number | null;
  /** Null for `expire`, which nobody asks for. */
  key: string | null;
  /** ms */
  createdAt: number;
};

export type Lot = {
  /** Null until it is stored. */
  lotId: string | null;
  amount: number;
  remaining: number;
  expiresAt: number | null;
  changed: boolean;
};

export type Account = {
  contactId: string;
  balance: number;
  /** Lots with something left, in order of spending, as far as the changes at hand can reach. */
  lots: Lot[];
  /** Earliest expiry (ms) among the lots that were not read; null: none expires. */
  unreadExpiryAt: number | null;
  /** New ones, in order. */
  entries: Entry[];
};

export const amountMax = 1_000_000_000;
/** Far below the largest safe integer, so that accounts can still be joined. */
export const balanceMax = 1_000_000_000_000_000;
/** The last instant that has a four-digit year. */
export const expiresAtMax = Date.parse('9999-12-31T23:59:59.999Z');
export const keyLengthMax = 200;

/** Refuses with INPUT_INVALID what can never be written, whatever the account holds. */
export function checkChange(change: PointChange): void {
  const { key } = change;
  // Half a surrogate pair would be stored as another character, and two keys could become one.
  if (key.length < 1 || key.length > keyLengthMax || /[\p{Cc}\p{Cs}]/u.test(key)) {
    throw new Refusal(
      'INPUT_INVALID',
      `A key has 1 to ${keyLengthMax} characters and no control characters, not ${JSON.stringify(key.slice(0, keyLengthMax + 1))}.`,
    );
  }
  if (change.kind !== 'clear') checkAmount(change.amount);
  if (change.kind === 'earn' && change.expiresAt !== null) {
    if (!Number.isInteger(change.expiresAt) || change.expiresAt > expiresAtMax) {
      throw new Refusal('INPUT_INVALID', 'Points run out before the year 10000, or never.');
    }
  }
}

function checkAmount(amount: number): void {
  if (Number.isInteger(amount) && amount >= 1 && amount <= amountMax) return;
  throw new Refusal(
    'INPUT_INVALID',
    `An amount of points is a whole number from 1 to ${amountMax}, not ${amount}.`,
  );
}

/**
 * Makes the change. Gives its entry, or the reason why it cannot be: then nothing is changed. Lots that have run out are
 * written off first, with entries of their own.
 */
export function applyChange(account: Account, change: PointChange, now: number): Entry | Refusal {
  const refusal = refusalOf(account, change, now);
  if (refusal) return refusal;
  writeOffExpired(account, now);
  if (change.kind === 'earn') {
    addLot(account, change);
    return addEntry(account, { ...change, createdAt: now });
  }
  const amount = change.kind === 'spend' ? change.amount : account.balance;
  takeFromLots(account, amount);
  return addEntry(account, { ...change, amount: 0 - amount, expiresAt: null, createdAt: now });
}

/** Earliest expiry (ms) among lots with something left; null: none expires. */
export function nextExpiryAt(account: Account): number | null {
  const times = account.lots.filter(({ remaining }) => remaining > 0).map(({ expiresAt }) => expiresAt);
  return [...times, account.unreadExpiryAt].reduce(earlier, null);
}

function refusalOf(account: Account, change: PointChange, now: number): Refusal | null {
  const expired = account.lots.filter((lot) => hasExpired(lot, now));
  const available = expired.reduce((left, { remaining }) => left - remaining, account.balance);
  if (change.kind === 'spend' && change.amount > available) {
    const text = `${available} points are available, ${change.amount} were to be spent.`;
    return new Refusal('POINTS_INSUFFICIENT', text);
  }
  if (change.kind !== 'earn') return null;
  if (change.expiresAt !== null && change.expiresAt <= now) {
    const at = new Date(change.expiresAt).toISOString();
    return new Refusal('INPUT_INVALID', `Points that run out at ${at} can no longer be earned.`);
  }
  if (available + change.amount <= balanceMax) return null;
  return new Refusal('INPUT_INVALID', `No contact can hold more than ${balanceMax} points.`);
}

function writeOffExpired(account: Account, now: number): void {
  for (const lot of account.lots) {
    if (!hasExpired(lot, now)) continue;
    const { expiresAt, remaining } = lot;
    addEntry(account, { kind: 'expire', amount: -remaining, expiresAt, key: null, createdAt: now });
    Object.assign(lot, { remaining: 0, changed: true });
  }
}

function hasExpired({ remaining, expiresAt }: Lot, now: number): boolean {
  return remaining > 0 && expiresAt !== null && expiresAt <= now;
}

function addLot(account: Account, { amount, expiresAt }: Extract<PointChange, { kind: 'earn' }>): void {
  const lot: Lot = { lotId: null, amount, remaining: amount, expiresAt, changed: false };
  const later = account.lots.findIndex((other) => runsOutLater(other, lot));
  account.lots.splice(later === -1 ? account.lots.length : later, 0, lot);
}

function takeFromLots(account: Account, amount: number): void {
  let wanted = amount;
  for (const lot of account.lots) {
    if (wanted === 0) return;
    const taken = Math.min(wanted, lot.remaining);
    if (taken > 0) Object.assign(lot, { remaining: lot.remaining - taken, changed: true });
    wanted -= taken;
  }
  if (wanted > 0) throw new Error(`lots of contact ${account.contactId} hold less than its balance`);
}

function addEntry(account: Account, entry: Omit<Entry, 'contactId' | 'balanceAfter'>): Entry {
  const { kind, key, amount, expiresAt, createdAt } = entry;
  account.balance += amount;
  const { contactId, balance: balanceAfter } = account;
  const added: Entry = { contactId, kind, amount, balanceAfter, expiresAt, key, createdAt };
  account.entries.push(added);
  return added;
}

function runsOutLater(lot: Lot, than: Lot): boolean {
  return than.expiresAt !== null && (lot.expiresAt === null || lot.expiresAt > than.expiresAt);
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
