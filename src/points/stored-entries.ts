/**
 * Rows of entries, and how they become entries.
 */
import type { Queryable } from '../database/client.ts';
import type { Bulk, Entry, EntryKind, Part } from './entry.ts';

export type EntryRow = {
  entry_id: string;
  contact_id: string;
  kind: EntryKind;
  amount: number;
  balance_after: number;
  expires_at: Date | null;
  parts: Part[] | null;
  key: string | null;
  leads: boolean;
  counterpart_id: string | null;
  pair_id: string | null;
  reverses: string | null;
  reason: string | null;
  bulk: Bulk | null;
  created_at: Date;
};

/** For queries: the columns of the row `entry` of point_entries. A merged counterpart is returned as its surviving contact. */
export function entryColumns(sql: Queryable) {
  return sql`entry.entry_id::text, entry.contact_id, entry.kind, entry.amount::float8, entry.balance_after::float8,
    entry.expires_at, entry.parts, entry.key, entry.leads, entry.pair_id::text, entry.reverses::text, entry.reason, entry.bulk,
    entry.created_at, case when entry.counterpart_id is not null then coalesce((
      select merged_into from contacts where bot_id = entry.bot_id and contact_id = entry.counterpart_id limit 1
    ), entry.counterpart_id) end as counterpart_id`;
}

export type StoredEntry = Entry & { entryId: string };

export function toEntry(row: EntryRow): StoredEntry {
  const { entry_id: entryId, contact_id: contactId, counterpart_id, pair_id } = row;
  const { kind, amount, parts, key, leads, reverses, reason, bulk } = row;
  return {
    entryId,
    contactId,
    kind,
    amount,
    balanceAfter: row.balance_after,
    expiresAt: row.expires_at?.getTime() ?? null,
    parts,
    key,
    leads,
    pair: counterpart_id === null ? null : { contactId: counterpart_id, entryId: pair_id },
    reverses,
    reason,
    bulk,
    createdAt: row.created_at.getTime(),
  };
}
