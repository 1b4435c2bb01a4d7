/**
 * Accounts as they are read to be changed: locked first, then read, in one round trip for any number of accounts (the
 * statements travel together).
 *
 * Each statement sees what was committed before it began (READ COMMITTED, PostgreSQL's default), so everything that is read
 * after the lock is what the former holder of the lock left.
 */
import type { Transaction } from '../database/database.ts';
import type { Account, Entry, EntryKind, Lot } from './account.ts';

/** Points that a batch may take from an account at most; `Infinity`: all. */
export type Need = { contactId: string; points: number };

export type LockedAccounts = {
  accounts: Map<string, Account>;
  /** Entries of the keys that were used before. */
  known: Map<string, Entry>;
  /** Contacts that meanwhile became another contact's second id → that contact. */
  joined: Map<string, string>;
};

type AccountRow = { contact_id: string; balance: number; next_expiry_at: Date | null };
type LotRow = {
  contact_id: string;
  lot_id: string;
  amount: number;
  remaining: number;
  expires_at: Date | null;
};
export type EntryRow = {
  contact_id: string;
  kind: EntryKind;
  amount: number;
  balance_after: number;
  expires_at: Date | null;
  key: string | null;
  created_at: Date;
};

/** Locks the accounts of the contacts (made where missing) until the transaction ends, and reads what the changes need. */
export async function lockAccounts(
  tx: Transaction,
  botId: string,
  { needs, keys, now }: { needs: readonly Need[]; keys: string[]; now: number },
): Promise<LockedAccounts> {
  const contactIds = needs.map(({ contactId }) => contactId);
  const [, accounts, joined, known, lots] = await Promise.all([
    insertAccounts(tx, botId, contactIds),
    lockRows(tx, botId, contactIds),
    selectJoined(tx, botId, contactIds),
    selectEntries(tx, botId, keys),
    selectLots(tx, botId, needs, now),
  ]);
  return {
    accounts: toAccounts(accounts, needs, lots, now),
    known: new Map(known.map((row) => [row.key ?? '', toEntry(row)])),
    joined: new Map(joined.map((row) => [row.contact_id, row.merged_into])),
  };
}

/** An entry as the rules know it. */
export function toEntry(row: EntryRow): Entry {
  return {
    contactId: row.contact_id,
    kind: row.kind,
    amount: row.amount,
    balanceAfter: row.balance_after,
    expiresAt: row.expires_at?.getTime() ?? null,
    key: row.key,
    createdAt: row.created_at.getTime(),
  };
}

/** Locks the accounts of both contacts, made where missing. */
export async function lockPair(tx: Transaction, botId: string, contactIds: [string, string]): Promise<void> {
  await Promise.all([insertAccounts(tx, botId, contactIds), lockRows(tx, botId, contactIds)]);
}

// Made and locked in order of contact: two writers that want the same accounts queue up instead of blocking each other.
function insertAccounts(tx: Transaction, botId: string, contactIds: string[]) {
  return tx`
    insert into point_accounts (bot_id, contact_id)
    select ${botId}, contact_id from unnest(${contactIds}::text[]) as asked (contact_id)
    order by contact_id collate "C"
    on conflict (bot_id, contact_id) do nothing`;
}

function lockRows(tx: Transaction, botId: string, contactIds: string[]) {
  return tx<AccountRow[]>`
    select contact_id, balance::float8, next_expiry_at from point_accounts
    where bot_id = ${botId} and contact_id = any(${contactIds})
    order by contact_id
    for no key update`;
}

// The look-ups are lateral, one by one: without statistics (tables that have just grown) the planner takes one bot's rows for
// few, and would read them all to join or to filter them.

function selectJoined(tx: Transaction, botId: string, contactIds: string[]) {
  return tx<{ contact_id: string; merged_into: string }[]>`
    select contact.* from unnest(${contactIds}::text[]) as asked (contact_id)
    cross join lateral (
      select contact_id, merged_into from contacts
      where bot_id = ${botId} and contact_id = asked.contact_id limit 1
    ) contact
    where merged_into is not null`;
}

function selectEntries(tx: Transaction, botId: string, keys: string[]) {
  return tx<EntryRow[]>`
    select entry.* from unnest(${keys}::text[]) as asked (key)
    cross join lateral (
      select contact_id, kind, amount::float8, balance_after::float8, expires_at, key, created_at
      from point_entries where bot_id = ${botId} and key = asked.key limit 1
    ) entry`;
}

/** Lots that have run out, and of the others the first ones that hold more than what may be taken. */
function selectLots(tx: Transaction, botId: string, needs: readonly Need[], now: number) {
  const points = needs.map((need) => Math.min(need.points, Number.MAX_SAFE_INTEGER));
  const at = new Date(now);
  return tx<LotRow[]>`
    select lot.contact_id, lot.lot_id::text, lot.amount::float8, lot.remaining::float8, lot.expires_at
    from unnest(${needs.map(({ contactId }) => contactId)}::text[], ${points}::bigint[]) as asked (contact_id, points)
    cross join lateral (
      select next_expiry_at from point_accounts
      where bot_id = ${botId} and contact_id = asked.contact_id limit 1
    ) account
    cross join lateral (
      select *, sum(case when expires_at <= ${at} then 0 else remaining end) over (
        order by expires_at, lot_id rows between unbounded preceding and 1 preceding
      ) as before
      from point_lots
      where bot_id = ${botId} and contact_id = asked.contact_id and remaining > 0
        and (asked.points > 0 or account.next_expiry_at <= ${at})
    ) lot
    where before is null or before <= asked.points
    order by lot.contact_id, lot.expires_at, lot.lot_id`;
}

function toAccounts(
  rows: readonly AccountRow[],
  needs: readonly Need[],
  lots: readonly LotRow[],
  now: number,
): Map<string, Account> {
  const needOf = new Map(needs.map(({ contactId, points }) => [contactId, points]));
  const accounts = new Map<string, Account>();
  for (const { contact_id: contactId, balance, next_expiry_at } of rows) {
    const nextAt = next_expiry_at?.getTime() ?? null;
    const lotsRead = (needOf.get(contactId) ?? 0) > 0 || (nextAt !== null && nextAt <= now);
    const unreadExpiryAt = lotsRead ? null : nextAt;
    accounts.set(contactId, { contactId, balance, lots: [], unreadExpiryAt, entries: [] });
  }
  for (const row of lots) accounts.get(row.contact_id)?.lots.push(toLot(row));
  return accounts;
}

function toLot({ lot_id: lotId, amount, remaining, expires_at }: LotRow): Lot {
  return { lotId, amount, remaining, expiresAt: expires_at?.getTime() ?? null, changed: false };
}
