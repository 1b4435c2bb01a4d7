/**
 * Locking accounts: locked first, then read, in one round trip for any number of accounts. New accounts are inserted after it, and
 * cost two more.
 *
 * Each statement sees what was committed before it began (READ COMMITTED, PostgreSQL's default). All reads after the lock
 * therefore see the state that the previous holder of the lock committed.
 */
import type { Transaction } from '../database/client.ts';
import type { Account } from './account.ts';
import {
  type AccountRow,
  insertAccounts,
  type LotRow,
  lockRows,
  type Need,
  selectEntries,
  selectEntriesByKey,
  selectLots,
  selectMerged,
  selectReversed,
} from './account-reads.ts';
import type { PointChange } from './change.ts';
import { type Entry, isExpired } from './entry.ts';
import { type LedgerState, needsOf, type Original } from './rules.ts';
import type { StoredEntry } from './stored-entries.ts';

export type LockedState = LedgerState & {
  accounts: Map<string, Account>;
  /** Entries of the keys that were used before. */
  entriesByKey: Map<string, Entry>;
};

/** How often contacts may be merged into others during one write. */
const redirectsMax = 3;

/**
 * Locks the accounts of the changes until the transaction ends, and reads what the changes need. Adds missing accounts. Returns
 * the changes with the contacts that theirs were merged into.
 */
export async function lockFor(
  tx: Transaction,
  botId: string,
  { changes, now }: { changes: readonly PointChange[]; now: number },
): Promise<{ changes: readonly PointChange[]; state: LockedState }> {
  const keys = [...new Set(changes.map(({ key }) => key))];
  let redirected = changes;
  for (let redirects = 0; redirects <= redirectsMax; redirects += 1) {
    const originals = await findOriginals(tx, botId, redirected);
    redirected = redirected.map((change) => toOriginal(change, originals));
    const byId = new Map([...originals.values()].map((original) => [original.entry.entryId, original]));
    const { mergedInto, ...state } = await lockAccounts(tx, botId, {
      needs: sumNeeds(redirected, byId),
      keys,
      entryIds: [...byId.keys()],
      now,
    });
    if (mergedInto.size === 0) return { changes: redirected, state: { ...state, originals: byId } };
    redirected = redirected.map((change) => redirect(change, mergedInto));
  }
  throw new Error(
    `a contact of bot ${botId} was merged into others more than ${redirectsMax} times during one write`,
  );
}

/** Locks the accounts of both contacts. Adds missing ones. */
export async function lockPair(tx: Transaction, botId: string, contactIds: [string, string]): Promise<void> {
  await Promise.all([insertAccounts(tx, botId, contactIds), lockRows(tx, botId, contactIds)]);
}

type Wanted = { needs: readonly Need[]; keys: string[]; entryIds: string[]; now: number };

async function lockAccounts(tx: Transaction, botId: string, wanted: Wanted) {
  const state = await lockExisting(tx, botId, wanted);
  const missing = wanted.needs.map(({ contactId }) => contactId).filter((id) => !state.accounts.has(id));
  if (missing.length === 0) return state;
  await insertAccounts(tx, botId, missing);
  // Again for all: each read must come after the lock of its account.
  return lockExisting(tx, botId, wanted);
}

async function lockExisting(tx: Transaction, botId: string, { needs, keys, entryIds, now }: Wanted) {
  const contactIds = needs.map(({ contactId }) => contactId);
  const spending = needs.filter(({ points }) => points > 0);
  // These functions return queries. Async functions would send theirs at once, before the lock.
  const [rows, entries, lots, reversed] = await Promise.all([
    lockRows(tx, botId, contactIds),
    selectEntriesByKey(tx, botId, keys),
    spending.length > 0 ? selectLots(tx, botId, spending, now) : [],
    entryIds.length > 0 ? selectReversed(tx, botId, entryIds) : [],
  ]);
  // A merge needs the locked rows, so the other contacts stay as they are.
  const doubtful = rows.flatMap(({ contact_id, has_contact }) => (has_contact ? [] : contact_id));
  const merged = doubtful.length > 0 ? await selectMerged(tx, botId, doubtful) : [];
  const accounts = new Map(rows.map((row) => [row.contact_id, toAccount(row)]));
  addLots(accounts, spending, lots);
  // Other accounts need their lots only if some of them expired.
  const expired = needs.filter(
    ({ contactId, points }) =>
      points === 0 && isExpired({ expiresAt: accounts.get(contactId)?.unreadExpiryAt ?? null }, now),
  );
  if (expired.length > 0) addLots(accounts, expired, await selectLots(tx, botId, expired, now));
  return {
    accounts,
    entriesByKey: new Map(entries.map((row) => [row.key ?? '', row])),
    mergedInto: new Map(merged.map((row) => [row.contact_id, row.merged_into])),
    reversed: new Set(reversed.map((row) => row.reverses)),
  };
}

type StoredOriginal = Original & { entry: StoredEntry };

/**
 * The entries to reverse, by the contact and entry of the changes. Either side of a transfer leads to the sender's entry. Entries
 * never change, so reading them before the lock is safe.
 */
async function findOriginals(
  tx: Transaction,
  botId: string,
  changes: readonly PointChange[],
): Promise<Map<string, StoredOriginal>> {
  const entries = await selectEntries(
    tx,
    botId,
    changes.filter((change) => change.kind === 'reverse'),
  );
  const pairs = await selectEntries(
    tx,
    botId,
    entries.flatMap(({ pair }) =>
      pair?.entryId ? { contactId: pair.contactId, entryId: pair.entryId } : [],
    ),
  );
  const pairOf = new Map(pairs.map((entry) => [entry.entryId, entry]));
  return new Map(
    entries.map((entry) => {
      const pair = pairOf.get(entry.pair?.entryId ?? '') ?? null;
      const sides = pair?.leads ? { entry: pair, pair: entry } : { entry, pair };
      return [entryKey(entry), sides];
    }),
  );
}

function toOriginal(change: PointChange, originals: ReadonlyMap<string, StoredOriginal>): PointChange {
  const entry = change.kind === 'reverse' ? originals.get(entryKey(change))?.entry : undefined;
  if (change.kind !== 'reverse' || !entry) return change;
  return { ...change, contactId: entry.contactId, entryId: entry.entryId };
}

function entryKey({ contactId, entryId }: { contactId: string; entryId: string }): string {
  return `${entryId} ${contactId}`;
}

function redirect(change: PointChange, mergedInto: ReadonlyMap<string, string>): PointChange {
  const survivorOf = (contactId: string) => mergedInto.get(contactId) ?? contactId;
  const contactId = survivorOf(change.contactId);
  if (change.kind === 'transfer')
    return { ...change, contactId, toContactId: survivorOf(change.toContactId) };
  return { ...change, contactId };
}

function sumNeeds(changes: readonly PointChange[], originals: LedgerState['originals']): Need[] {
  const sums = new Map<string, number>();
  for (const change of changes) {
    for (const [contactId, points] of needsOf(change, originals)) {
      sums.set(contactId, (sums.get(contactId) ?? 0) + points);
    }
  }
  // In index order, so that look-ups walk along the index.
  return [...sums]
    .map(([contactId, points]) => ({ contactId, points }))
    .sort((a, b) => (a.contactId < b.contactId ? -1 : 1));
}

function toAccount({ contact_id: contactId, place, balance, lasting, next_expiry_at }: AccountRow): Account {
  const lots = [{ expiresAt: null, remaining: lasting, isRead: true, isChanged: false }];
  return { contactId, place, balance, lots, unreadExpiryAt: next_expiry_at?.getTime() ?? null, entries: [] };
}

/** Adds the lots to the accounts. Lots that were not read expire later than these. */
function addLots(
  accounts: ReadonlyMap<string, Account>,
  needs: readonly Need[],
  lots: readonly LotRow[],
): void {
  for (const { contactId } of needs) {
    const account = accounts.get(contactId);
    if (account) account.unreadExpiryAt = null;
  }
  for (const { contact_id, remaining, expires_at } of lots) {
    const lot = { expiresAt: expires_at.getTime(), remaining, isRead: true, isChanged: false };
    accounts.get(contact_id)?.lots.splice(-1, 0, lot);
  }
}
