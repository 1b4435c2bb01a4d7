/**
 * A contact's entries, page by page.
 */
import type { Queryable } from '../database/client.ts';
import { entryColumns, type StoredEntry } from './stored-entries.ts';

/** `reversedBy`: the id of the entry that reverses this one; null: none does. */
export type HistoryEntry = StoredEntry & { reversedBy: string | null };
/** `next`: the `before` of the next page; null: this is the last one. */
export type HistoryPage = { entries: HistoryEntry[]; next: string | null };

/** The contact's entries, newest first, at most `limit`; with `before` (an entry id) only older ones. */
export async function history(
  sql: Queryable,
  {
    botId,
    contactId,
    limit,
    before = null,
  }: { botId: string; contactId: string; limit: number; before?: string | null },
): Promise<HistoryPage> {
  const rows = await sql<HistoryEntry[]>`
    select ${entryColumns(sql, botId)}, (
      select reversal.entry_id::text from point_entries reversal
      where reversal.bot_id = ${botId} and reversal.reverses = entry.entry_id limit 1
    ) as "reversedBy"
    from point_entries entry
    where bot_id = ${botId} and contact_id = ${contactId} and (${before}::bigint is null or entry_id < ${before}::bigint)
    order by entry.entry_id desc
    limit ${limit + 1}`;
  const entries = rows.slice(0, limit);
  return { entries, next: rows.length > limit ? (entries.at(-1)?.entryId ?? null) : null };
}
