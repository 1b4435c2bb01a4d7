/**
 * The statements that lock accounts and read what changes need (account-lock.ts).
 *
 * Look-ups are lateral, one by one. Without statistics (new tables) the planner underestimates a bot's rows, and would read all
 * of them to join or to filter.
 */
import type { Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { entryColumns, type StoredEntry } from './stored-entries.ts';

/** The points that changes may take from an account; `Infinity`: all. */
export type Need = { contactId: string; points: number };
export type AccountRow = {
  /** Where the row is in its table, as long as the transaction has the lock and does not write the row. */
  place: string;
  contact_id: string;
  balance: number;
  lasting: number;
  next_expiry_at: Date | null;
  /** False: the contact is merged, deleted or unknown. */
  has_contact: boolean;
};
export type LotRow = { contact_id: string; remaining: number; expires_at: Date };

// Inserted and locked in order of contact, so that writers of the same accounts wait for each other. A rare deadlock between a lock and
// an insertion is repeated (`repeatedTransaction`).
export function insertAccounts(tx: Transaction, botId: string, contactIds: readonly string[]) {
  return tx`
    insert into point_accounts (bot_id, contact_id, platform)
    select ${botId}, contact_id, (
      select platform from contacts
      where contacts.bot_id = ${botId} and contacts.contact_id = wanted.contact_id
        and merged_into is null and forgotten_at is null)
    from ${idTable(tx, contactIds)}
    order by contact_id collate "C"
    on conflict (bot_id, contact_id) do nothing`;
}

export function lockRows(tx: Transaction, botId: string, contactIds: string[]) {
  return tx<AccountRow[]>`
    select ctid::text as place, contact_id, balance::float8, lasting::float8, next_expiry_at,
      platform is not null as has_contact
    from point_accounts
    where bot_id = ${botId} and contact_id = any(${contactIds})
    order by contact_id
    for no key update`;
}

export function selectMerged(tx: Transaction, botId: string, contactIds: readonly string[]) {
  return tx<{ contact_id: string; merged_into: string }[]>`
    select contact.* from ${idTable(tx, contactIds)}
    cross join lateral (
      select contact_id, merged_into from contacts
      where bot_id = ${botId} and contact_id = wanted.contact_id and merged_into is not null limit 1
    ) contact`;
}

export function selectEntriesByKey(tx: Transaction, botId: string, keys: readonly string[]) {
  return tx<StoredEntry[]>`
    select ${entryColumns(tx, botId)} from ${rowTable(tx, 'wanted', keys, { key: ['text', (key) => key] })}
    cross join lateral (
      select * from point_entries where bot_id = ${botId} and key = wanted.key and leads limit 1
    ) entry`;
}

export async function selectEntries(
  tx: Transaction,
  botId: string,
  entries: readonly { contactId: string; entryId: string }[],
): Promise<StoredEntry[]> {
  if (entries.length === 0) return [];
  return tx<StoredEntry[]>`
    select ${entryColumns(tx, botId)}
    from ${rowTable(tx, 'wanted', entries, {
      contact_id: ['text', ({ contactId }) => contactId],
      entry_id: ['text', ({ entryId }) => entryId],
    })}
    cross join lateral (
      select * from point_entries
      where bot_id = ${botId} and contact_id = wanted.contact_id and entry_id = wanted.entry_id::bigint limit 1
    ) entry`;
}

export function selectReversed(tx: Transaction, botId: string, entryIds: readonly string[]) {
  return tx<{ reverses: string }[]>`
    select reversal.reverses::text from ${rowTable(tx, 'wanted', entryIds, { entry_id: ['text', (id) => id] })}
    cross join lateral (
      select reverses from point_entries where bot_id = ${botId} and reverses = wanted.entry_id::bigint limit 1
    ) reversal`;
}

/** Expired lots, and of the others the first ones, until they hold more than the points. */
export function selectLots(tx: Transaction, botId: string, needs: readonly Need[], now: number) {
  return tx<LotRow[]>`
    select lot.contact_id, lot.remaining::float8, lot.expires_at
    from ${rowTable(tx, 'wanted', needs, {
      contact_id: ['text', ({ contactId }) => contactId],
      points: ['bigint', ({ points }) => Math.min(points, Number.MAX_SAFE_INTEGER)],
    })}
    cross join lateral (
      select *, sum(case when expires_at <= ${new Date(now)} then 0 else remaining end) over (
        order by expires_at rows between unbounded preceding and 1 preceding
      ) as before
      from point_lots
      where bot_id = ${botId} and contact_id = wanted.contact_id
    ) lot
    where before is null or before <= wanted.points
    order by lot.contact_id, lot.expires_at`;
}

function idTable(tx: Transaction, contactIds: readonly string[]) {
  return rowTable(tx, 'wanted', contactIds, { contact_id: ['text', (contactId) => contactId] });
}
