/**
 * The rules by which changes are made or refused (figures.md, section 8), as pure code.
 *
 * In: a change and its locked accounts. Out: the new entry, or a refusal that leaves everything unchanged. Expired points are
 * written off first, with entries of their own.
 */
import { invalidInput, Refusal } from '../errors.ts';
import { type Account, addEntry, availableIn, putParts, takePoints, writeOffExpired } from './account.ts';
import { balanceMax, type PointChange } from './change.ts';
import { type Entry, isExpired, type Part, partsOf, sumOf } from './entry.ts';

/** An entry to reverse. Of a transfer it is the sender's, and `pair` is the receiver's. */
export type Original = { entry: Entry; pair: Entry | null };

/** The input of the rules. */
export type LedgerState = {
  accounts: ReadonlyMap<string, Account>;
  /** Entries to reverse, by id. */
  originals: ReadonlyMap<string, Original>;
  /** Ids of reversed entries. */
  reversed: Set<string>;
};

/** Makes the change. Returns its entry (of a transfer the sender's) or the refusal. */
export function applyChange(change: PointChange, state: LedgerState, now: number): Entry | Refusal {
  const account = accountOf(state, change.contactId);
  const { key } = change;
  switch (change.kind) {
    case 'earn':
      return add(account, { ...change, createdAt: now });
    case 'adjust': {
      const { kind, amount, expiresAt, reason } = change;
      const common = { kind, key, reason, createdAt: now };
      return amount > 0
        ? add(account, { ...common, amount, expiresAt })
        : take(account, { ...common, amount: -amount });
    }
    case 'spend':
      return take(account, { kind: change.kind, key, amount: change.amount, createdAt: now });
    case 'clear':
      return take(account, { kind: change.kind, key, amount: availableIn(account, now), createdAt: now });
    case 'transfer':
      return transfer(account, accountOf(state, change.toContactId), change, now);
    case 'reverse':
      return reverse(change, state, now);
  }
}

/** The points that a change may take, by contact; `Infinity`: all, or those of any lot; 0: none. */
export function needsOf(
  change: PointChange,
  originals: LedgerState['originals'],
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
      const need = [contactId, entry && entry.amount > 0 ? Infinity : 0] as const;
      return pair ? [need, [pair.contactId, Infinity]] : [need];
    }
  }
}

type Movement = Pick<Entry, 'kind' | 'amount' | 'createdAt'> & Partial<Entry> & { key: string };

function add(account: Account, movement: Movement): Entry | Refusal {
  const { amount, expiresAt = null, createdAt: now } = movement;
  if (isExpired({ expiresAt }, now)) {
    const at = new Date(expiresAt ?? 0).toISOString();
    return invalidInput(`Points that expired at ${at} cannot be earned.`);
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
  const parts = partsToStore(takePoints(account, amount));
  return addEntry(account, { ...movement, amount: 0 - amount, parts });
}

function transfer(
  from: Account,
  to: Account,
  { kind, key, amount }: Extract<PointChange, { kind: 'transfer' }>,
  now: number,
): Entry | Refusal {
  if (from === to) return invalidInput('Points cannot be transferred to the same contact.');
  const refusal = tooFew(from, amount, now) ?? tooMany(to, amount, now);
  if (refusal) return refusal;
  writeOffExpired(from, now);
  writeOffExpired(to, now);
  const parts = takePoints(from, amount);
  putParts(to, parts);
  const common = { kind, key, parts: partsToStore(parts), createdAt: now };
  const sent = addEntry(from, { ...common, amount: -amount });
  return paired(sent, addEntry(to, { ...common, amount, leads: false }));
}

/** Undoes the unexpired points of an entry: takes added points back, and returns taken points. */
function reverse(
  { contactId, key, entryId }: Extract<PointChange, { kind: 'reverse' }>,
  state: LedgerState,
  now: number,
): Entry | Refusal {
  const original = state.originals.get(entryId);
  if (original?.entry.contactId !== contactId) {
    return new Refusal('ENTRY_NOT_FOUND', `The contact has no entry ${entryId}.`);
  }
  const { entry, pair } = original;
  if (entry.kind === 'expire' || entry.kind === 'reverse') {
    const kind = entry.kind === 'expire' ? 'an expiry' : 'a reversal';
    return new Refusal('ENTRY_NOT_REVERSIBLE', `Entry ${entryId} is ${kind}, which cannot be reversed.`);
  }
  if (state.reversed.has(entryId)) {
    return new Refusal('ENTRY_NOT_REVERSIBLE', `Entry ${entryId} is already reversed.`);
  }
  const parts = partsOf(entry).filter((part) => !isExpired(part, now));
  const amount = sumOf(parts);
  const account = accountOf(state, entry.contactId);
  const other = pair && accountOf(state, pair.contactId);
  const giver = entry.amount > 0 ? account : other;
  const taker = entry.amount > 0 ? other : account;
  const refusal = (giver && tooFew(giver, amount, now)) ?? (taker && tooMany(taker, amount, now));
  if (refusal) return refusal;
  for (const side of [account, other]) if (side) writeOffExpired(side, now);
  if (giver) takePoints(giver, amount, parts);
  if (taker) putParts(taker, parts);
  state.reversed.add(entryId);
  const common = { kind: 'reverse' as const, key, createdAt: now };
  const signed = entry.amount > 0 ? 0 - amount : amount;
  const undone = addEntry(account, { ...common, amount: signed, reverses: entryId });
  if (!pair || !other) return undone;
  return paired(
    undone,
    addEntry(other, { ...common, amount: 0 - signed, reverses: pair.entryId, leads: false }),
  );
}

function tooFew(account: Account, amount: number, now: number): Refusal | null {
  const available = availableIn(account, now);
  if (amount <= available) return null;
  return new Refusal(
    'POINTS_INSUFFICIENT',
    `Insufficient points: ${amount} requested, ${available} available.`,
  );
}

function tooMany(account: Account, amount: number, now: number): Refusal | null {
  if (availableIn(account, now) + amount <= balanceMax) return null;
  return invalidInput(`A contact can have at most ${balanceMax} points.`);
}

function paired(entry: Entry, other: Entry): Entry {
  entry.pair = other;
  other.pair = entry;
  return entry;
}

/** Null if none of the points expires, which is common. */
function partsToStore(parts: readonly Part[]): readonly Part[] | null {
  return parts.every(({ expiresAt }) => expiresAt === null) ? null : parts;
}

function accountOf({ accounts }: LedgerState, contactId: string): Account {
  const account = accounts.get(contactId);
  if (!account) throw new Error(`the account of contact ${contactId} was not locked`);
  return account;
}
