/**
 * What is read of points: balances, history, and the audit that proves the ledger right.
 */
import type { Queryable } from '../database/database.ts';
import type { Entry } from './account.ts';
import { type EntryRow, toEntry } from './account-lock.ts';

/**
 * The points that each contact can spend at `now` (ms); 0 for one that never had any. Contacts are named by the id that
 * stands for them (a second id is led to its contact by events/contacts.ts). One query by primary key.
 */
export async function availablePoints(
  sql: Queryable,
  { botId, contactIds, now }: { botId: string; contactIds: readonly string[]; now: number },
): Promise<Map<string, number>> {
  const rows = await sql<{ contact_id: string; available: number }[]>`
    select contact_id, ${availableInAccount(sql, now)} as available
    from point_accounts account
    where bot_id = ${botId} and contact_id = any(${[...contactIds]})`;
  const available = new Map(contactIds.map((contactId) => [contactId, 0]));
  for (const row of rows) available.set(row.contact_id, row.available);
  return available;
}

/** For queries: the points that can be spent at `now` (ms) from the row `account` of point_accounts; null for no row. */
export function availableInAccount(sql: Queryable, now: number) {
  const at = new Date(now);
  return sql`(case when account.next_expiry_at <= ${at} then (
      select coalesce(sum(lot.remaining), 0) from point_lots lot
      where lot.bot_id = account.bot_id and lot.contact_id = account.contact_id and lot.remaining > 0
        and (lot.expires_at is null or lot.expires_at > ${at})
    ) else account.balance end)::float8`;
}

export type HistoryEntry = Entry & { entryId: string };

/** The contact's entries, newest first, at most `limit`; `before` an entry id for the next page. */
export async function history(
  sql: Queryable,
  {
    botId,
    contactId,
    limit,
    before = null,
  }: { botId: string; contactId: string; limit: number; before?: string | null },
): Promise<HistoryEntry[]> {
  const rows = await sql<(EntryRow & { entry_id: string })[]>`
    select contact_id, entry_id::text, kind, amount::float8, balance_after::float8, expires_at, key, created_at
    from point_entries
    where bot_id = ${botId} and contact_id = ${contactId} and (${before}::bigint is null or entry_id < ${before}::bigint)
    order by point_entries.entry_id desc
    limit ${limit}`;
  return rows.map((row) => ({ entryId: row.entry_id, ...toEntry(row) }));
}

/** An account whose sums do not agree. */
export type AuditDifference = {
  contactId: string;
  balance: number;
  /** Sum of the entries. */
  entries: number;
  /** Sum of what is left in the lots. */
  lots: number;
  /** Entries whose `balanceAfter` is not the sum up to them. */
  entriesOutOfLine: number;
  /** False when the kept expiry is not the earliest one of the lots. */
  nextExpiryRight: boolean;
};

const differencesMax = 1_000;

/** The bot's accounts that are not right, up to 1,000; empty: every account is. One query, so it sees one instant. */
export async function auditPoints(sql: Queryable, botId: string): Promise<AuditDifference[]> {
  const rows = await sql<AuditDifference[]>`
    with entries as (
      select contact_id, sum(amount) as entries, count(*) filter (where balance_after <> running) as out_of_line
      from (
        select contact_id, amount, balance_after, sum(amount) over (partition by contact_id order by entry_id) as running
        from point_entries where bot_id = ${botId}
      ) entry
      group by contact_id
    ), lots as (
      select contact_id, sum(remaining) as lots, min(expires_at) as next_expiry_at
      from point_lots where bot_id = ${botId} and remaining > 0 group by contact_id
    ), accounts as (
      select contact_id, balance, next_expiry_at from point_accounts where bot_id = ${botId}
    ), compared as (
      select contact_id, coalesce(balance, 0) as balance, coalesce(entries, 0) as entries, coalesce(lots, 0) as lots,
        coalesce(out_of_line, 0) as out_of_line,
        accounts.next_expiry_at is not distinct from lots.next_expiry_at as next_expiry_right
      from accounts full join entries using (contact_id) full join lots using (contact_id)
    )
    select contact_id as "contactId", balance::float8, entries::float8, lots::float8,
      out_of_line::float8 as "entriesOutOfLine", next_expiry_right as "nextExpiryRight"
    from compared
    where balance <> entries or balance <> lots or out_of_line > 0 or not next_expiry_right
    order by contact_id
    limit ${differencesMax}`;
  return [...rows];
}
