/**
 * The writes of changed accounts, in one round trip: new entries, lots, sums.
 */
import type { Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { type Change, enqueueMessages } from '../webhooks-out/outbox.ts';
import { type Account, type Lot, nextExpiryAt } from './account.ts';
import type { Entry, EntryRef } from './entry.ts';

/** Writes the changes of the accounts, and sets the ids of their entries. Once, in the transaction that holds the locks. */
export async function saveAccounts(
  tx: Transaction,
  botId: string,
  accounts: readonly Account[],
): Promise<void> {
  const entries = accounts.flatMap((account) => account.entries);
  await Promise.all([insertEntries(tx, botId, entries), saveSums(tx, botId, accounts)]);
}

/** Writes lots and sums of the accounts that have entries, without those. */
export async function saveSums(tx: Transaction, botId: string, accounts: readonly Account[]): Promise<void> {
  const changed = accounts.filter(({ entries }) => entries.length > 0);
  const lots = changed.flatMap((account) =>
    account.lots.flatMap(({ expiresAt, ...lot }) =>
      lot.isChanged && expiresAt !== null ? { ...lot, expiresAt, contactId: account.contactId } : [],
    ),
  );
  const filled = lots.filter(({ remaining }) => remaining > 0);
  await Promise.all([
    addToLots(
      tx,
      botId,
      filled.filter(({ isRead }) => !isRead),
    ),
    setLots(
      tx,
      botId,
      filled.filter(({ isRead }) => isRead),
    ),
    deleteLots(
      tx,
      botId,
      lots.filter(({ isRead, remaining }) => isRead && remaining === 0),
    ),
    updateAccounts(tx, botId, changed),
  ]);
}

/** Appends entries in order, sets their ids, and enqueues their webhook messages. */
export async function insertEntries(
  tx: Transaction,
  botId: string,
  entries: readonly Entry[],
): Promise<void> {
  // An entry of 0 (a clear of an empty account) changes no points.
  const changes = entries.filter(({ amount }) => amount !== 0).map(toChange);
  await Promise.all([
    appendEntries(tx, botId, entries),
    enqueueMessages(tx, botId, changes, { now: changes[0]?.at ?? 0 }),
  ]);
}

function toChange({ contactId, kind, amount, balanceAfter, key, expiresAt, createdAt }: Entry): Change {
  const expiry = expiresAt === null ? null : new Date(expiresAt).toISOString();
  const data = { kind, amount, available: balanceAfter, key, expiresAt: expiry };
  return { type: 'points.changed', contactId, at: createdAt, data };
}

async function appendEntries(tx: Transaction, botId: string, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  const positions = new Map<EntryRef, number>(entries.map((entry, index) => [entry, index]));
  // The ids are drawn first, so that the two sides of a transfer can refer to each other.
  const rows = await tx<{ entry_id: string }[]>`
    with new as materialized (
      select nextval('point_entries_entry_id_seq') as entry_id, ordered.*
      from (
        select * from ${rowTable(tx, 'sent', entries, {
          contact_id: ['text', ({ contactId }) => contactId],
          kind: ['text', ({ kind }) => kind],
          amount: ['bigint', ({ amount }) => amount],
          balance_after: ['bigint', ({ balanceAfter }) => balanceAfter],
          expires_at: ['timestamptz', ({ expiresAt }) => expiresAt],
          parts: ['text', ({ parts }) => jsonOrNull(parts)],
          key: ['text', ({ key }) => key],
          leads: ['boolean', ({ leads }) => leads],
          counterpart_id: ['text', ({ pair }) => pair?.contactId ?? null],
          pair_position: ['integer', ({ pair }) => (pair ? (positions.get(pair) ?? null) : null)],
          reverses: ['text', ({ reverses }) => reverses],
          reason: ['text', ({ reason }) => reason],
          bulk: ['text', ({ bulk }) => jsonOrNull(bulk)],
          created_at: ['timestamptz', ({ createdAt }) => createdAt],
          position: ['integer', (_, index) => index],
        })}
        order by position
      ) ordered
    ), inserted as (
      insert into point_entries (bot_id, contact_id, entry_id, kind, amount, balance_after, expires_at, parts, key, leads,
        counterpart_id, pair_id, reverses, reason, bulk, created_at)
      select ${botId}, new.contact_id, new.entry_id, new.kind, new.amount, new.balance_after, new.expires_at,
        new.parts::jsonb, new.key, new.leads, new.counterpart_id, pair.entry_id, new.reverses::bigint, new.reason,
        new.bulk::jsonb, new.created_at
      from new left join new pair on pair.position = new.pair_position
    )
    select entry_id::text from new order by position`;
  for (const [index, row] of rows.entries()) Object.assign(entries[index] ?? {}, { entryId: row.entry_id });
}

type LotOfContact = Lot & { contactId: string; expiresAt: number };

/** Lots that were not read may exist or not. */
async function addToLots(tx: Transaction, botId: string, lots: readonly LotOfContact[]): Promise<void> {
  if (lots.length === 0) return;
  await tx`
    insert into point_lots (bot_id, contact_id, expires_at, remaining)
    select ${botId}, contact_id, expires_at, remaining from ${lotTable(tx, lots)}
    on conflict (bot_id, contact_id, expires_at) do update set remaining = point_lots.remaining + excluded.remaining`;
}

// Existing rows are written as upserts, which find each row by its key. For an update joined to a list, the planner may choose to
// read all rows of the bot.

async function setLots(tx: Transaction, botId: string, lots: readonly LotOfContact[]): Promise<void> {
  if (lots.length === 0) return;
  await tx`
    insert into point_lots (bot_id, contact_id, expires_at, remaining)
    select ${botId}, contact_id, expires_at, remaining from ${lotTable(tx, lots)}
    on conflict (bot_id, contact_id, expires_at) do update set remaining = excluded.remaining`;
}

async function deleteLots(tx: Transaction, botId: string, lots: readonly LotOfContact[]): Promise<void> {
  if (lots.length === 0) return;
  await tx`
    delete from point_lots
    where bot_id = ${botId} and (contact_id, expires_at) in (select contact_id, expires_at from ${lotTable(tx, lots)})`;
}

// By place, which costs half of an upsert. The planner knows the size of the table, so it never reads much more than the rows.
async function updateAccounts(tx: Transaction, botId: string, accounts: readonly Account[]): Promise<void> {
  if (accounts.length === 0) return;
  const { count } = await tx`
    update point_accounts account
    set balance = new.balance, lasting = new.lasting, next_expiry_at = new.next_expiry_at
    from ${rowTable(tx, 'new', accounts, {
      place: ['tid', ({ place }) => place],
      balance: ['bigint', ({ balance }) => balance],
      lasting: ['bigint', ({ lots }) => lots.at(-1)?.remaining ?? 0],
      next_expiry_at: ['timestamptz', nextExpiryAt],
    })}
    where account.ctid = new.place and account.bot_id = ${botId}`;
  if (count !== accounts.length) throw new Error(`${accounts.length - count} locked accounts were not found`);
}

function lotTable(tx: Transaction, lots: readonly LotOfContact[]) {
  return rowTable(tx, 'new', lots, {
    contact_id: ['text', ({ contactId }) => contactId],
    expires_at: ['timestamptz', ({ expiresAt }) => expiresAt],
    remaining: ['bigint', ({ remaining }) => remaining],
  });
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
