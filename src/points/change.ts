/**
 * Changes of points, and the rules by which they are made or refused (figures.md, section 8), as pure code.
 *
 * In: a change, and the accounts that it is for, as they were read under their locks. Out: the entry that it makes, or a
 * refusal; then nothing is altered. What has run out of an account is written off first, with entries of its own.
 */
import { Refusal } from '../errors.ts';
import { endOfTime } from '../time.ts';
import { type Account, addEntry, availableIn, putParts, takePoints, writeOffExpired } from './account.ts';
import { type Entry, hasRunOut, type Part, partsOf, sumOf } from './entry.ts';

/** A change that somebody asks for. `expiresAt` in ms, null: never. The key makes it safe to repeat. */
export type PointChange = { contactId: string; key: string } & (
  | { kind: 'earn'; amount: number; expiresAt: number | null }
  | { kind: 'spend'; amount: number }
  | { kind: 'transfer'; toContactId: string; amount: number }
  /** An amount below 0 takes; `expiresAt` is then null. */
  | { kind: 'adjust'; amount: number; expiresAt: number | null; reason: string }
  | { kind: 'reverse'; entryId: string }
  | { kind: 'clear' }
);

/** An entry to be reversed: of a transfer the sender's, with the receiver's as its pair. */
export type Original = { entry: Entry; pair: Entry | null };

/** What the rules look things up in. */
export type Books = {
  accounts: ReadonlyMap<string, Account>;
  /** Entries to be reversed, by their id. */
  originals: ReadonlyMap<string, Original>;
  /** Ids of those that were reversed. */
  reversed: Set<string>;
};

export const amountMax = 1_000_000_000;
/** Far below the largest safe integer, so that accounts can still be joined. */
export const balanceMax = 1_000_000_000_000_000;
export const expiresAtMax = endOfTime - 1;
export const keyLengthMax = 200;
export const reasonLengthMax = 500;

/** Refuses with INPUT_INVALID what can never be written, whatever the accounts hold. */
export function checkChange(change: PointChange): void {
  checkText('A key', change.key, keyLengthMax);
  if (change.kind === 'adjust') checkText('A reason', change.reason, reasonLengthMax);
  if (change.kind === 'reverse') checkEntryId(change.entryId);
  if ('amount' in change) checkAmount(change.kind === 'adjust' ? Math.abs(change.amount) : change.amount);
  if ('expiresAt' in change) checkExpiry(change.expiresAt);
  if (change.kind === 'adjust' && change.amount < 0 && change.expiresAt !== null) {
    throw invalid('Only points that are added have an expiry; leave it out when points are taken.');
  }
}

function checkText(what: string, text: string, lengthMax: number): void {
  // Half a surrogate pair would be stored as another character, and two keys could become one.
  if (text.length >= 1 && text.length <= lengthMax && !/[\p{Cc}\p{Cs}]/u.test(text)) return;
  const shown = JSON.stringify(text.slice(0, lengthMax + 1));
  throw invalid(`${what} has 1 to ${lengthMax} characters and no control characters, not ${shown}.`);
}

function checkEntryId(entryId: string): void {
  if (/^\d{1,18}$/.test(entryId)) return;
  throw invalid(`An entry is named by its number, not ${JSON.stringify(entryId.slice(0, 50))}.`);
}

function checkAmount(amount: number): void {
  if (Number.isInteger(amount) && amount >= 1 && amount <= amountMax) return;
  throw invalid(`An amount of points is a whole number from 1 to ${amountMax}, not ${amount}.`);
}

function checkExpiry(expiresAt: number | null): void {
  if (expiresAt === null || (Number.isInteger(expiresAt) && expiresAt <= expiresAtMax)) return;
  throw invalid('Points expire before the year 2200, or never.');
}

/** Makes the change and gives its entry (of a transfer the sender's), or the reason why it cannot be. */
export function applyChange(change: PointChange, books: Books, now: number): Entry | Refusal {
  const account = accountOf(books, change.contactId);
  const { key } = change;
  switch (change.kind) {
    case 'earn':
      return add(account, { ...change, createdAt: now });
    case 'adjust': {
      const { kind, amount, expiresAt, reason } = change;
      const named = { kind, key, reason, createdAt: now };
      return amount > 0
        ? add(account, { ...named, amount, expiresAt })
        : take(account, { ...named, amount: -amount });
    }
    case 'spend':
      return take(account, { kind: change.kind, key, amount: change.amount, createdAt: now });
    case 'clear':
      return take(account, { kind: change.kind, key, amount: availableIn(account, now), createdAt: now });
    case 'transfer':
      return transfer(account, accountOf(books, change.toContactId), change, now);
    case 'reverse':
      return reverse(change, books, now);
  }
}

/** The points that a change may take, by contact; `Infinity`: all of them, or those of any lot; 0: none. */
export function needsOf(
  change: PointChange,
  originals: Books['originals'],
): readonly (readonly [contactId: string, points: number])[] {
  const { contactId } = change;
  switch (change.kind) {
    case 'earn':
      return [[contactId, 0]];
    case 'spend':
      return [[contactId, change.amount]];
    case 'adjust':
      return [[contactId, Math.max(0, -change.amount)]];
    case 'clear':
      return [[contactId, Infinity]];
    case 'transfer':
      return [
        [contactId, change.amount],
        [change.toContactId, 0],
      ];
    case 'reverse': {
      const { entry = null, pair = null } = originals.get(change.entryId) ?? {};
      const own = [contactId, entry && entry.amount > 0 ? Infinity : 0] as const;
      return pair ? [own, [pair.contactId, Infinity]] : [own];
    }
  }
}

/** True when the entry is what the change made when it was asked for before. */
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

type Movement = Pick<Entry, 'kind' | 'amount' | 'createdAt'> & Partial<Entry> & { key: string };

function add(account: Account, movement: Movement): Entry | Refusal {
  const { amount, expiresAt = null, createdAt: now } = movement;
  if (hasRunOut({ expiresAt }, now)) {
    const at = new Date(expiresAt ?? 0).toISOString();
    return invalid(`Points that run out at ${at} can no longer be earned.`);
  }
  const refusal = tooMany(account, amount, now);
  if (refusal) return refusal;
  writeOffExpired(account, now);
  putParts(account, [{ amount, expiresAt }]);
  return addEntry(account, movement);
}

function take(account: Account, movement: Movement): Entry | Refusal {
  const { amount, createdAt: now } = movement;
  const refusal = tooFew(account, amount, now);
  if (refusal) return refusal;
  writeOffExpired(account, now);
  const parts = toldParts(takePoints(account, amount));
  return addEntry(account, { ...movement, amount: 0 - amount, parts });
}

function transfer(
  from: Account,
  to: Account,
  { kind, key, amount }: Extract<PointChange, { kind: 'transfer' }>,
  now: number,
): Entry | Refusal {
  if (from === to) return invalid('Points are transferred to another contact, not to the same one.');
  const refusal = tooFew(from, amount, now) ?? tooMany(to, amount, now);
  if (refusal) return refusal;
  writeOffExpired(from, now);
  writeOffExpired(to, now);
  const taken = takePoints(from, amount);
  putParts(to, taken);
  const common = { kind, key, parts: toldParts(taken), createdAt: now };
  const sent = addEntry(from, { ...common, amount: -amount });
  return paired(sent, addEntry(to, { ...common, amount, leads: false }));
}

/** Undoes what has not run out of an entry: takes it back where it came, gives it back where it was taken. */
function reverse(
  { contactId, key, entryId }: Extract<PointChange, { kind: 'reverse' }>,
  books: Books,
  now: number,
): Entry | Refusal {
  const original = books.originals.get(entryId);
  if (original?.entry.contactId !== contactId) {
    return new Refusal('ENTRY_NOT_FOUND', `The contact has no entry ${entryId}.`);
  }
  const { entry, pair } = original;
  if (entry.kind === 'expire' || entry.kind === 'reverse') {
    const what = entry.kind === 'expire' ? 'Points that have run out' : 'A reversal';
    return new Refusal('ENTRY_NOT_REVERSIBLE', `${what} cannot be reversed; entry ${entryId} is one.`);
  }
  if (books.reversed.has(entryId)) {
    return new Refusal('ENTRY_NOT_REVERSIBLE', `Entry ${entryId} was reversed before.`);
  }
  const parts = partsOf(entry).filter((part) => !hasRunOut(part, now));
  const amount = sumOf(parts);
  const own = accountOf(books, entry.contactId);
  const other = pair && accountOf(books, pair.contactId);
  const giver = entry.amount > 0 ? own : other;
  const taker = entry.amount > 0 ? other : own;
  const refusal = (giver && tooFew(giver, amount, now)) ?? (taker && tooMany(taker, amount, now));
  if (refusal) return refusal;
  for (const account of [own, other]) if (account) writeOffExpired(account, now);
  if (giver) takePoints(giver, amount, parts);
  if (taker) putParts(taker, parts);
  books.reversed.add(entryId);
  const common = { kind: 'reverse' as const, key, createdAt: now };
  const signed = entry.amount > 0 ? 0 - amount : amount;
  const undone = addEntry(own, { ...common, amount: signed, reverses: entryId });
  if (!pair || !other) return undone;
  return paired(
    undone,
    addEntry(other, { ...common, amount: 0 - signed, reverses: pair.entryId, leads: false }),
  );
}

function tooFew(account: Account, amount: number, now: number): Refusal | null {
  const available = availableIn(account, now);
  if (amount <= available) return null;
  return new Refusal('POINTS_INSUFFICIENT', `${available} points are available, ${amount} were to be taken.`);
}

function tooMany(account: Account, amount: number, now: number): Refusal | null {
  if (availableIn(account, now) + amount <= balanceMax) return null;
  return invalid(`No contact can hold more than ${balanceMax} points.`);
}

function paired(entry: Entry, other: Entry): Entry {
  entry.pair = other;
  other.pair = entry;
  return entry;
}

/** Most points never run out, and that need not be told. */
function toldParts(parts: readonly Part[]): readonly Part[] | null {
  return parts.every(({ expiresAt }) => expiresAt === null) ? null : parts;
}

function accountOf({ accounts }: Books, contactId: string): Account {
  const account = accounts.get(contactId);
  if (!account) throw new Error(`the account of contact ${contactId} was not locked`);
  return account;
}

function invalid(message: string): Refusal {
  return new Refusal('INPUT_INVALID', message);
}
