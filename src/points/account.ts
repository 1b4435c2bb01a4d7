/**
 * One contact's account in memory, and what can be done to it, as pure code.
 *
 * It is read under its lock, altered in place by the rules (change.ts), and gathers what has to be written. Must hold after
 * each change: balance = sum of entries = sum of what is left in the lots, and nothing of a lot is spent from its `expiresAt`
 * on.
 */
import { type Entry, hasRunOut, type Part } from './entry.ts';

/** The points of an account that run out at one instant; null: never. */
export type Lot = {
  expiresAt: number | null;
  /** Of a lot that was not read: what comes to it, on top of what may be there. */
  remaining: number;
  read: boolean;
  changed: boolean;
};

export type Account = {
  contactId: string;
  balance: number;
  /** In order of spending, as far as the changes at hand can reach; the one that never runs out is always there. */
  lots: Lot[];
  /** Earliest expiry (ms) among the lots that were not read; null: none expires. */
  unreadExpiryAt: number | null;
  /** New ones, in order. */
  entries: Entry[];
};

/** The points that can be spent. */
export function availableIn({ balance, lots }: Account, now: number): number {
  return lots.reduce((left, lot) => (hasRunOut(lot, now) ? left - lot.remaining : left), balance);
}

/** Takes out what has run out, with entries of their own. */
export function writeOffExpired(account: Account, now: number): void {
  for (const lot of account.lots) {
    if (lot.remaining === 0 || !hasRunOut(lot, now)) continue;
    const { expiresAt, remaining } = lot;
    addEntry(account, { kind: 'expire', amount: -remaining, expiresAt, key: null, createdAt: now });
    Object.assign(lot, { remaining: 0, changed: true });
  }
}

/** Puts points into the lots that they run out with. */
export function putParts(account: Account, parts: readonly Part[]): void {
  for (const { amount, expiresAt } of parts) {
    const lot = account.lots.find((other) => other.expiresAt === expiresAt);
    if (lot) Object.assign(lot, { remaining: lot.remaining + amount, changed: true });
    else addLot(account, { expiresAt, remaining: amount, read: false, changed: true });
  }
}

/**
 * Takes points: first from the lots that run out as the `preferred` parts do, as much as those have; then from the lot that
 * runs out first. Gives what was taken, by when it runs out.
 */
export function takePoints(account: Account, amount: number, preferred: readonly Part[] = []): Part[] {
  const taken: Part[] = [];
  let wanted = amount;
  const take = (lot: Lot, amountMax: number): void => {
    const part = Math.min(wanted, amountMax, lot.remaining);
    if (part === 0) return;
    Object.assign(lot, { remaining: lot.remaining - part, changed: true });
    taken.push({ amount: part, expiresAt: lot.expiresAt });
    wanted -= part;
  };
  for (const part of preferred) {
    const lot = account.lots.find(({ expiresAt }) => expiresAt === part.expiresAt);
    if (lot) take(lot, part.amount);
  }
  for (const lot of account.lots) take(lot, wanted);
  if (wanted > 0) throw new Error(`lots of contact ${account.contactId} hold less than its balance`);
  return taken;
}

type NewEntry = Pick<Entry, 'kind' | 'amount' | 'key' | 'createdAt'> & Partial<Entry>;

/** Adds an entry, and its amount to the balance. */
export function addEntry(account: Account, entry: NewEntry): Entry {
  account.balance += entry.amount;
  const { contactId, balance: balanceAfter } = account;
  const added: Entry = { ...blank, ...entry, contactId, balanceAfter };
  account.entries.push(added);
  return added;
}

const blank = {
  entryId: null,
  expiresAt: null,
  parts: null,
  leads: true,
  pair: null,
  reverses: null,
  reason: null,
  bulk: null,
};

/** Earliest expiry (ms) among lots with something left; null: none expires. */
export function nextExpiryAt({ lots, unreadExpiryAt }: Account): number | null {
  const times = lots.filter(({ remaining }) => remaining > 0).map(({ expiresAt }) => expiresAt);
  return [...times, unreadExpiryAt].reduce(earlier, null);
}

function addLot({ lots }: Account, lot: Lot): void {
  const later = lots.findIndex((other) => runsOutLater(other, lot));
  lots.splice(later === -1 ? lots.length : later, 0, lot);
}

function runsOutLater(lot: Lot, than: Lot): boolean {
  return than.expiresAt !== null && (lot.expiresAt === null || lot.expiresAt > than.expiresAt);
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
