/**
 * The audit of the ledger: entries, lots and balances agree, transferred points arrive, and reversals undo existing entries.
 */
import type { Queryable } from '../database/client.ts';

/** An account with an error. */
export type AuditDifference = {
  contactId: string;
  balance: number;
  /** Sum of the entries. */
  entries: number;
  /** Sum of the lots, including the one that never expires. */
  lots: number;
  /** Entries whose `balanceAfter` is not the sum up to them, or whose parts do not sum to their amount. */
  entriesOutOfLine: number;
  /** Sides of transfers and of their reversals whose other side is missing or has another amount. */
  unpaired: number;
  /** Reversals of an entry that is missing, cannot be reversed, or had fewer points. */
  unfounded: number;
  /** False if the stored expiry is not the earliest one of the lots. */
  nextExpiryRight: boolean;
};

const differencesMax = 1_000;

/** The bot's accounts with errors, up to 1,000; empty: the ledger is correct. One query, so it sees one moment. */
export async function auditPoints(sql: Queryable, botId: string): Promise<AuditDifference[]> {
  const rows = await sql<AuditDifference[]>`
    with entry as (
      select *, sum(amount) over (partition by contact_id order by entry_id) as running from point_entries
      where bot_id = ${botId}
    ), pair as (
      select entry_id, pair_id, kind, key, amount from entry where pair_id is not null
    ), reversible as (
      select entry_id, contact_id, amount from entry where kind not in ('expire', 'reverse')
    ), entries as (
      select entry.contact_id, sum(entry.amount) as entries,
        count(*) filter (where balance_after <> running or abs(entry.amount) <> coalesce((
          select sum((part->>'amount')::bigint) from jsonb_array_elements(parts) part
        ), abs(entry.amount))) as out_of_line,
        count(*) filter (where entry.pair_id is not null and pair.entry_id is null) as unpaired,
        count(*) filter (where entry.kind = 'reverse' and reversible.entry_id is null) as unfounded
      from entry
      left join pair on pair.entry_id = entry.pair_id and pair.pair_id = entry.entry_id
        and pair.kind = entry.kind and pair.key = entry.key and pair.amount = -entry.amount
      left join reversible on reversible.entry_id = entry.reverses and reversible.contact_id = entry.contact_id
        and sign(reversible.amount) * sign(entry.amount) <= 0 and abs(reversible.amount) >= abs(entry.amount)
      group by entry.contact_id
    ), lots as (
      select contact_id, sum(remaining) as lots, min(expires_at) as next_expiry_at
      from point_lots where bot_id = ${botId} group by contact_id
    ), accounts as (
      select contact_id, balance, lasting, next_expiry_at from point_accounts where bot_id = ${botId}
    ), compared as (
      select contact_id, coalesce(balance, 0) as balance, coalesce(entries, 0) as entries, coalesce(lasting, 0) + coalesce(lots, 0) as lots,
        coalesce(out_of_line, 0) as out_of_line, coalesce(unpaired, 0) as unpaired, coalesce(unfounded, 0) as unfounded,
        accounts.next_expiry_at is not distinct from lots.next_expiry_at as next_expiry_right
      from accounts full join entries using (contact_id) full join lots using (contact_id)
    )
    select contact_id as "contactId", balance::float8, entries::float8, lots::float8,
      out_of_line::float8 as "entriesOutOfLine", unpaired::float8, unfounded::float8,
      next_expiry_right as "nextExpiryRight"
    from compared
    where balance <> entries or balance <> lots or out_of_line > 0 or unpaired > 0 or unfounded > 0
      or not next_expiry_right
    order by contact_id
    limit ${differencesMax}`;
  return [...rows];
}
