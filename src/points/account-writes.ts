/**
 * What changes made of locked accounts, written in one round trip: new entries, what is left in lots, sums.
 */
import type { Transaction } from '../database/client.ts';
import { type Change, tell } from '../webhooks-out/outbox.ts';
import { type Account, type Lot, nextExpiryAt } from './account.ts';
import type { Entry, EntryPlace } from './entry.ts';

/** Writes what the changes made of the accounts; entries have their ids then. Once, in the transaction that holds the locks. */
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
  const written = accounts.filter(({ entries }) => entries.length > 0);
  const changed = written.flatMap(({ contactId, lots }) =>
    lots.flatMap(({ expiresAt, ...lot }) =>
      lot.changed && expiresAt !== null ? { ...lot, expiresAt, contactId } : [],
    ),
  );
  const [read, others] = [changed.filter((lot) => lot.read), changed.filter((lot) => !lot.read)];
  const [left, emptied] = [
    read.filter(({ remaining }) => remaining > 0),
    read.filter(({ remaining }) => remaining === 0),
  ];
  await Promise.all([
    addToLots(
      tx,
      botId,
      others.filter(({ remaining }) => remaining > 0),
    ),
    setLots(tx, botId, left),
    deleteLots(tx, botId, emptied),
    updateAccounts(tx, botId, written),
  ]);
}

/** An entry of 0 (a clear that found nothing) changes no points. */
async function tellEntries(tx: Transaction, botId: string, entries: readonly Entry[]): Promise<void> {
  const changes = entries.filter(({ amount }) => amount !== 0).map(toChange);
  await tell(tx, botId, changes, { now: changes[0]?.at ?? 0 });
}

function toChange({ contactId, kind, amount, balanceAfter, key, expiresAt, createdAt }: Entry): Change {
  const data = { kind, amount, available: balanceAfter, key, expiresAt: isoOrNull(expiresAt) };
  return { type: 'points.changed', contactId, at: createdAt, data };
}

/** Appends entries, in order, gives them their ids, and tells of them. */
export async function insertEntries(
  tx: Transaction,
  botId: string,
  entries: readonly Entry[],
): Promise<void> {
  await Promise.all([appendEntries(tx, botId, entries), tellEntries(tx, botId, entries)]);
}

async function appendEntries(tx: Transaction, botId: string, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  const positions = new Map<EntryPlace, number>(entries.map((entry, index) => [entry, index + 1]));
  // The ids are drawn first, so that the two sides of a transfer can name each other.
  const rows = await tx<{ entry_id: string }[]>`
    with new as materialized (
      select nextval('point_entries_entry_id_seq') as entry_id, given.*
      from (
        select * from unnest(
          ${entries.map(({ contactId }) => contactId)}::text[], ${entries.map(({ kind }) => kind)}::text[],
          ${plainArray(entries.map(({ amount }) => amount))}::bigint[],
          ${plainArray(entries.map(({ balanceAfter }) => balanceAfter))}::bigint[],
          ${plainArray(entries.map(({ expiresAt }) => isoOrNull(expiresAt)))}::timestamptz[],
          ${entries.map(({ parts }) => jsonOrNull(parts))}::text[], ${entries.map(({ key }) => key)}::text[],
          ${entries.map(({ leads }) => String(leads))}::text[],
          ${entries.map(({ pair }) => pair?.contactId ?? null)}::text[],
          ${entries.map(({ pair }) => (pair ? (positions.get(pair) ?? null) : null))}::bigint[],
          ${entries.map(({ reverses }) => reverses)}::bigint[], ${entries.map(({ reason }) => reason)}::text[],
          ${entries.map(({ bulk }) => jsonOrNull(bulk))}::text[],
          ${plainArray(entries.map(({ createdAt }) => isoOrNull(createdAt)))}::timestamptz[]
        ) with ordinality as given (contact_id, kind, amount, balance_after, expires_at, parts, key, leads, counterpart_id,
          pair_position, reverses, reason, bulk, created_at, position)
        order by position
      ) given
    ), inserted as (
      insert into point_entries (bot_id, contact_id, entry_id, kind, amount, balance_after, expires_at, parts, key, leads,
        counterpart_id, pair_id, reverses, reason, bulk, created_at)
      select ${botId}, new.contact_id, new.entry_id, new.kind, new.amount, new.balance_after, new.expires_at,
        new.parts::jsonb, new.key, new.leads::boolean,
        new.counterpart_id, pair.entry_id, new.reverses, new.reason, new.bulk::jsonb, new.created_at
      from new left join new pair on pair.position = new.pair_position
    )
    select entry_id::text from new order by position`;
  for (const [index, row] of rows.entries()) Object.assign(entries[index] ?? {}, { entryId: row.entry_id });
}

type LotOfContact = Lot & { contactId: string; expiresAt: number };

/** Lots that were not read may be there or not. */
async function addToLots(tx: Transaction, botId: string, lots: readonly LotOfContact[]): Promise<void> {
  if (lots.length === 0) return;
  await tx`
    insert into point_lots (bot_id, contact_id, expires_at, remaining)
    ${lotRows(tx, botId, lots)}
    on conflict (bot_id, contact_id, expires_at) do update set remaining = point_lots.remaining + excluded.remaining`;
}

// Rows that are known to be there are written as upserts: that finds each by its key, while the planner of an update that is
// joined to a list may choose to read all rows of the bot.

async function setLots(tx: Transaction, botId: string, lots: readonly LotOfContact[]): Promise<void> {
  if (lots.length === 0) return;
  await tx`
    insert into point_lots (bot_id, contact_id, expires_at, remaining)
    ${lotRows(tx, botId, lots)}
    on conflict (bot_id, contact_id, expires_at) do update set remaining = excluded.remaining`;
}

function lotRows(tx: Transaction, botId: string, lots: readonly LotOfContact[]) {
  return tx`
    select ${botId}, contact_id, expires_at, remaining
    from unnest(${lots.map(({ contactId }) => contactId)}::text[], ${expiriesOf(lots)}::timestamptz[],
      ${plainArray(lots.map(({ remaining }) => remaining))}::bigint[]) as new (contact_id, expires_at, remaining)`;
}

async function deleteLots(tx: Transaction, botId: string, lots: readonly LotOfContact[]): Promise<void> {
  if (lots.length === 0) return;
  await tx`
    delete from point_lots
    where bot_id = ${botId} and (contact_id, expires_at) in (
      select * from unnest(${lots.map(({ contactId }) => contactId)}::text[], ${expiriesOf(lots)}::timestamptz[])
    )`;
}

async function updateAccounts(tx: Transaction, botId: string, accounts: readonly Account[]): Promise<void> {
  if (accounts.length === 0) return;
  await tx`
    insert into point_accounts (bot_id, contact_id, balance, lasting, next_expiry_at)
    select ${botId}, contact_id, balance, lasting, next_expiry_at
    from unnest(${accounts.map(({ contactId }) => contactId)}::text[], ${plainArray(accounts.map(({ balance }) => balance))}::bigint[],
      ${plainArray(accounts.map(({ lots }) => lots.at(-1)?.remaining ?? 0))}::bigint[],
      ${plainArray(accounts.map((account) => isoOrNull(nextExpiryAt(account))))}::timestamptz[])
      as new (contact_id, balance, lasting, next_expiry_at)
    on conflict (bot_id, contact_id) do update
      set balance = excluded.balance, lasting = excluded.lasting, next_expiry_at = excluded.next_expiry_at`;
}

function expiriesOf(lots: readonly LotOfContact[]): string {
  return plainArray(lots.map(({ expiresAt }) => new Date(expiresAt).toISOString()));
}

/**
 * An array as PostgreSQL writes it, of numbers and instants, which need no quotes: for ten thousand of them the client's own
 * way, which looks for what to escape, takes longer than the statement.
 */
export function plainArray(values: readonly (number | string | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

export function isoOrNull(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
