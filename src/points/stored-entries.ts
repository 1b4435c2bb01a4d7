/**
 * Entries as queries return them.
 */
import type { Fragment, Queryable } from '../database/client.ts';
import { msOf } from '../database/instants.ts';
import type { Entry } from './entry.ts';

export type StoredEntry = Entry & { entryId: string };

/** For queries: the columns of a StoredEntry from the bot's row `entry` of point_entries. A merged counterpart is its surviving contact. */
export function entryColumns(sql: Queryable, botId: string): Fragment {
  return sql`entry.entry_id::text as "entryId", entry.contact_id as "contactId", entry.kind, entry.amount::float8,
    entry.balance_after::float8 as "balanceAfter", ${msOf(sql, 'entry.expires_at')} as "expiresAt", entry.parts, entry.key,
    entry.leads, entry.reverses::text, entry.reason, entry.bulk, ${msOf(sql, 'entry.created_at')} as "createdAt",
    case when entry.counterpart_id is not null then jsonb_build_object('contactId', coalesce((
      select merged_into from contacts where bot_id = ${botId} and contact_id = entry.counterpart_id limit 1
    ), entry.counterpart_id), 'entryId', entry.pair_id::text) end as pair`;
}
