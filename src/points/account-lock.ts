/**
 * Accounts as they are read to be changed: locked first, then read, in one round trip for any number of accounts (the
 * statements travel together).
 *
 * Each statement sees what was committed before it began (READ COMMITTED, PostgreSQL's default), so everything that is read
 * after the lock is what the former holder of the lock left.
 */
import type { Transaction } from '../database/client.ts';
import type { Account } from './account.ts';
import { type Books, needsOf, type Original, type PointChange } from './change.ts';
import { type Entry, hasRunOut } from './entry.ts';
import { type EntryRow, entryColumns, type StoredEntry, toEntry } from './entry-rows.ts';

export type LockedAccounts = Books & {
  accounts: Map<string, Account>;
  /** Entries of the keys that were used before. */
  known: Map<string, Entry>;
};

/** Points that may be taken from an account at most; `Infinity`: all. */
type Need = { contactId: string; points: number };
type Joined = { contact_id: string; merged_into: string };
type AccountRow = { contact_id: string; balance: number; lasting: number; next_expiry_at: Date | null };
type LotRow = { contact_id: string; remaining: number; expires_at: Date };

/** How often contacts may turn out to have been joined to others during one write. */
const redirectsMax = 3;

/**
 * Locks the accounts that the changes are for (made where missing) until the transaction ends, and reads what the changes
 * need. Gives them with the changes, led to the contacts that theirs were joined to meanwhile.
 */
export async function lockFor(
  tx: Transaction,
  botId: string,
  { changes, now }: { changes: readonly PointChange[]; now: number },
): Promise<{ wanted: readonly PointChange[]; books: LockedAccounts }> {
  const keys = [...new Set(changes.map(({ key }) => key))];
  let wanted = changes;
  for (let redirects = 0; redirects <= redirectsMax; redirects += 1) {
    const originals = await findOriginals(tx, botId, wanted);
    wanted = wanted.map((change) => toOriginal(change, originals));
    const byId = new Map([...originals.values()].map((original) => [original.entry.entryId, original]));
    const { joined, ...locked } = await lockAccounts(tx, botId, {
      needs: sumNeeds(wanted, byId),
      keys,
      entryIds: [...byId.keys()],
      now,
    });
    if (joined.size === 0) return { wanted, books: { ...locked, originals: byId } };
    wanted = wanted.map((change) => redirected(change, joined));
  }
  throw new Error(
    `a contact of bot ${botId} was joined to others more than ${redirectsMax} times during one write`,
  );
}

/** Locks the accounts of both contacts, made where missing. */
export async function lockPair(tx: Transaction, botId: string, contactIds: [string, string]): Promise<void> {
  await Promise.all([insertAccounts(tx, botId, contactIds), lockRows(tx, botId, contactIds)]);
}

async function lockAccounts(
  tx: Transaction,
  botId: string,
  { needs, keys, entryIds, now }: { needs: readonly Need[]; keys: string[]; entryIds: string[]; now: number },
) {
  const contactIds = needs.map(({ contactId }) => contactId);
  const wanting = needs.filter(({ points }) => points > 0);
  // Queries as they are, not async functions that give them: those would be sent first, and read before the lock.
  const [, rows, joined, known, lots, reversed] = await Promise.all([
    insertAccounts(tx, botId, contactIds),
    lockRows(tx, botId, contactIds),
    selectJoined(tx, botId, contactIds),
    selectKnown(tx, botId, keys),
    wanting.length > 0 ? selectLots(tx, botId, wanting, now) : [],
    entryIds.length > 0 ? selectReversed(tx, botId, entryIds) : [],
  ]);
  const accounts = new Map(rows.map((row) => [row.contact_id, toAccount(row)]));
  addLots(accounts, wanting, lots);
  // Of the others lots are looked at only when some have run out.
  const expired = needs.filter(
    ({ contactId, points }) =>
      points === 0 && hasRunOut({ expiresAt: accounts.get(contactId)?.unreadExpiryAt ?? null }, now),
  );
  if (expired.length > 0) addLots(accounts, expired, await selectLots(tx, botId, expired, now));
  return {
    accounts,
    known: new Map(known.map((row) => [row.key ?? '', toEntry(row)])),
    joined: new Map(joined.map((row) => [row.contact_id, row.merged_into])),
    reversed: new Set(reversed.map((row) => row.reverses)),
  };
}

type FoundOriginal = Original & { entry: StoredEntry };

/**
 * The entries that are to be reversed, by contact and entry as they are named in the changes; either side of a transfer leads
 * to the sender's. Entries never change, so they may be read before the lock.
 */
async function findOriginals(
  tx: Transaction,
  botId: string,
  changes: readonly PointChange[],
): Promise<Map<string, FoundOriginal>> {
  const named = changes.flatMap((change) =>
    change.kind === 'reverse' ? { contactId: change.contactId, entryId: change.entryId } : [],
  );
  const entries = await selectEntries(tx, botId, named);
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
      return [placeOf(entry), sides];
    }),
  );
}

function toOriginal(change: PointChange, originals: ReadonlyMap<string, FoundOriginal>): PointChange {
  const entry = change.kind === 'reverse' ? originals.get(placeOf(change))?.entry : undefined;
  if (change.kind !== 'reverse' || !entry) return change;
  return { ...change, contactId: entry.contactId, entryId: entry.entryId };
}

function placeOf({ contactId, entryId }: { contactId: string; entryId: string }): string {
  return `${entryId} ${contactId}`;
}

function redirected(change: PointChange, joined: ReadonlyMap<string, string>): PointChange {
  const lead = (contactId: string) => joined.get(contactId) ?? contactId;
  const contactId = lead(change.contactId);
  if (change.kind === 'transfer') return { ...change, contactId, toContactId: lead(change.toContactId) };
  return { ...change, contactId };
}

function sumNeeds(changes: readonly PointChange[], originals: Books['originals']): Need[] {
  const sums = new Map<string, number>();
  for (const change of changes) {
    for (const [contactId, points] of needsOf(change, originals)) {
      sums.set(contactId, (sums.get(contactId) ?? 0) + points);
    }
  }
  // In the order of the index, so that many look-ups walk along it.
  return [...sums]
    .map(([contactId, points]) => ({ contactId, points }))
    .sort((a, b) => (a.contactId < b.contactId ? -1 : 1));
}

// Made and locked in order of contact: two writers that want the same accounts queue up instead of blocking each other.
function insertAccounts(tx: Transaction, botId: string, contactIds: string[]) {
  return tx`
    insert into point_accounts (bot_id, contact_id)
    select ${botId}, contact_id from unnest(${contactIds}::text[]) as asked (contact_id)
    where not exists (
      select from point_accounts where bot_id = ${botId} and point_accounts.contact_id = asked.contact_id offset 0
    )
    order by contact_id collate "C"
    on conflict (bot_id, contact_id) do nothing`;
}

function lockRows(tx: Transaction, botId: string, contactIds: string[]) {
  return tx<AccountRow[]>`
    select contact_id, balance::float8, lasting::float8, next_expiry_at from point_accounts
    where bot_id = ${botId} and contact_id = any(${contactIds})
    order by contact_id
    for no key update`;
}

// The look-ups are lateral, one by one: without statistics (tables that have just grown) the planner takes one bot's rows for
// few, and would read them all to join or to filter them.

function selectJoined(tx: Transaction, botId: string, contactIds: string[]) {
  return tx<Joined[]>`
    select contact.* from unnest(${contactIds}::text[]) as asked (contact_id)
    cross join lateral (
      select contact_id, merged_into from contacts
      where bot_id = ${botId} and contact_id = asked.contact_id and merged_into is not null limit 1
    ) contact`;
}

function selectKnown(tx: Transaction, botId: string, keys: string[]) {
  return tx<EntryRow[]>`
    select ${entryColumns(tx)} from unnest(${keys}::text[]) as asked (key)
    cross join lateral (
      select * from point_entries where bot_id = ${botId} and key = asked.key and leads limit 1
    ) entry`;
}

async function selectEntries(
  tx: Transaction,
  botId: string,
  places: readonly { contactId: string; entryId: string }[],
): Promise<StoredEntry[]> {
  if (places.length === 0) return [];
  const rows = await tx<EntryRow[]>`
    select ${entryColumns(tx)}
    from unnest(${places.map(({ contactId }) => contactId)}::text[], ${places.map(({ entryId }) => entryId)}::bigint[])
      as asked (contact_id, entry_id)
    cross join lateral (
      select * from point_entries
      where bot_id = ${botId} and contact_id = asked.contact_id and entry_id = asked.entry_id limit 1
    ) entry`;
  return rows.map(toEntry);
}

function selectReversed(tx: Transaction, botId: string, entryIds: string[]) {
  return tx<{ reverses: string }[]>`
    select reversal.reverses::text from unnest(${entryIds}::bigint[]) as asked (entry_id)
    cross join lateral (
      select reverses from point_entries where bot_id = ${botId} and reverses = asked.entry_id limit 1
    ) reversal`;
}

/** Lots that have run out, and of the others the first ones that hold more than what may be taken. */
function selectLots(tx: Transaction, botId: string, needs: readonly Need[], now: number) {
  const points = needs.map((need) => Math.min(need.points, Number.MAX_SAFE_INTEGER));
  return tx<LotRow[]>`
    select lot.contact_id, lot.remaining::float8, lot.expires_at
    from unnest(${needs.map(({ contactId }) => contactId)}::text[], ${points}::bigint[]) as asked (contact_id, points)
    cross join lateral (
      select *, sum(case when expires_at <= ${new Date(now)} then 0 else remaining end) over (
        order by expires_at rows between unbounded preceding and 1 preceding
      ) as before
      from point_lots
      where bot_id = ${botId} and contact_id = asked.contact_id
    ) lot
    where before is null or before <= asked.points
    order by lot.contact_id, lot.expires_at`;
}

function toAccount({ contact_id: contactId, balance, lasting, next_expiry_at }: AccountRow): Account {
  const lots = [{ expiresAt: null, remaining: lasting, read: true, changed: false }];
  return { contactId, balance, lots, unreadExpiryAt: next_expiry_at?.getTime() ?? null, entries: [] };
}

/** Gives the accounts their lots; what was not read of them runs out later than what was. */
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
    const lot = { expiresAt: expires_at.getTime(), remaining, read: true, changed: false };
    accounts.get(contact_id)?.lots.splice(-1, 0, lot);
  }
}
