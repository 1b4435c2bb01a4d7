/**
 * One contact's account in memory and its operations, as pure code.
 *
 * The account is read under its lock, and the rules (rules.ts) modify it in place. It collects its new entries. After each change,
 * balance = sum of entries = sum of lots, and points of a lot are not spent from its `expiresAt` on.
 */
import { type Entry, isExpired, type Part } from './entry.ts';

/** Points of one account that share an expiry time (ms; null: they never expire). */
export type Lot = {
  expiresAt: number | null;
  /** Of a lot that was not read: the points to add to its stored ones. */
  remaining: number;
  isRead: boolean;
  isChanged: boolean;
};

export type Account = {
  contactId: string;
  /** The place of its locked row. */
  place: string;
  balance: number;
  /** In order of spending, as far as the changes can reach. The last one never expires and always exists. */
  lots: Lot[];
  /** Earliest expiry (ms) of the lots that were not read; null: none expires. */
  unreadExpiryAt: number | null;
  /** New entries, in order. */
  entries: Entry[];
};

/** The points that can be spent now. */
export function availableIn({ balance, lots }: Account, now: number): number {
  return lots.reduce((points, lot) => (isExpired(lot, now) ? points - lot.remaining : points), balance);
}

/** Takes out expired points, with an entry for each lot. */
export function writeOffExpired(account: Account, now: number): void {
  for (const lot of account.lots) {
    if (lot.remaining === 0 || !isExpired(lot, now)) continue;
    const { expiresAt, remaining } = lot;
    addEntry(account, { kind: 'expire', amount: -remaining, expiresAt, key: null, createdAt: now });
    Object.assign(lot, { remaining: 0, isChanged: true });
  }
}

/** Adds points to the lots with their expiry. */
export function putParts(account: Account, parts: readonly Part[]): void {
  for (const { amount, expiresAt } of parts) {
    const lot = account.lots.find((other) => other.expiresAt === expiresAt);
    if (lot) Object.assign(lot, { remaining: lot.remaining + amount, isChanged: true });
    else addLot(account, { expiresAt, remaining: amount, isRead: false, isChanged: true });
  }
}

/**
 * Takes points: first from the lots with the expiry of the `preferred` parts, up to the amounts of these; then from the lot that
 * expires first. Returns the taken points by expiry.
 */
export function takePoints(account: Account, amount: number, preferred: readonly Part[] = []): Part[] {
  const parts: Part[] = [];
  let missing = amount;
  const take = (lot: Lot, amountMax: number): void => {
    const part = Math.min(missing, amountMax, lot.remaining);
    if (part === 0) return;
    Object.assign(lot, { remaining: lot.remaining - part, isChanged: true });
    parts.push({ amount: part, expiresAt: lot.expiresAt });
    missing -= part;
  };
  for (const part of preferred) {
    const lot = account.lots.find(({ expiresAt }) => expiresAt === part.expiresAt);
    if (lot) take(lot, part.amount);
  }
  for (const lot of account.lots) take(lot, missing);
  if (missing > 0) throw new Error(`lots of contact ${account.contactId} hold less than its balance`);
  return parts;
}

type NewEntry = Pick<Entry, 'kind' | 'amount' | 'key' | 'createdAt'> & Partial<Entry>;

/** Adds an entry and its amount. */
export function addEntry(account: Account, entry: NewEntry): Entry {
  account.balance += entry.amount;
  const { contactId, balance: balanceAfter } = account;
  const added: Entry = { ...emptyEntry, ...entry, contactId, balanceAfter };
  account.entries.push(added);
  return added;
}

const emptyEntry = {
  entryId: null,
  expiresAt: null,
  parts: null,
  leads: true,
  pair: null,
  reverses: null,
  reason: null,
  bulk: null,
};

/** Earliest expiry (ms) of the lots with points; null: none expires. */
export function nextExpiryAt({ lots, unreadExpiryAt }: Account): number | null {
  const times = lots.filter(({ remaining }) => remaining > 0).map(({ expiresAt }) => expiresAt);
  return [...times, unreadExpiryAt].reduce(earlier, null);
}

function addLot({ lots }: Account, lot: Lot): void {
  const later = lots.findIndex((other) => expiresLater(other, lot));
  lots.splice(later === -1 ? lots.length : later, 0, lot);
}

function expiresLater(lot: Lot, than: Lot): boolean {
  return than.expiresAt !== null && (lot.expiresAt === null || lot.expiresAt > than.expiresAt);
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
