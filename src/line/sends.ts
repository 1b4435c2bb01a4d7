/**
 * Writes sends through our gateway, and their sums by day in UTC+9.
 *
 * LINE's request id identifies a send. A send that is reported several times, in any order, is stored once, with its earliest
 * reported time. If LINE's statistics of the send give the number of recipients, that number is used.
 */
import type { Fragment, Queryable } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { lineZone } from '../time.ts';
import type { SendKind } from './daily-figures.ts';
import type { SendDayChange } from './outbound.ts';

export type Send = {
  /** LINE's X-Line-Request-Id of the send call. */
  requestId: string;
  kind: SendKind;
  /** Custom aggregation unit. */
  unit: string | null;
  /** Null: unknown. */
  recipients: number | null;
  /** ms. */
  sentAt: number;
  /** Only for a reply, in hexadecimal digits. */
  replyTokenHash?: string | null;
  /** The set of links that replaced its URLs. */
  linkSet?: string | null;
};

/**
 * Stores sends and returns the changes of the daily sums. Of several reports of one send (repeated with its retry key) the earliest
 * stays, so repetition and order do not matter. For a transaction that holds the bot's lock.
 */
export async function recordSends(
  sql: Queryable,
  botId: string,
  sends: readonly Send[],
): Promise<SendDayChange[]> {
  if (sends.length === 0) return [];
  const reported = sql`
    select distinct on (reported.request_id) reported.request_id, kind, unit,
      coalesce(case when ${hasOwnStatistics(sql)} then ${deliveredIn(sql)} end, recipients) as recipients,
      sent_at, decode(token_hash, 'hex') as reply_token_hash, link_set
    from ${rowTable(sql, 'reported', sends, {
      request_id: ['text', ({ requestId }) => requestId],
      kind: ['text', ({ kind }) => kind],
      unit: ['text', ({ unit }) => unit],
      recipients: ['bigint', ({ recipients }) => recipients],
      sent_at: ['timestamptz', ({ sentAt }) => sentAt],
      token_hash: ['text', ({ replyTokenHash }) => replyTokenHash ?? null],
      link_set: ['text', ({ linkSet }) => linkSet ?? null],
    })}
    left join lateral (
      select value from line_message_events
      where line_message_events.bot_id = ${botId} and line_message_events.request_id = reported.request_id limit 1
    ) answer on true
    order by reported.request_id, sent_at`;
  return putSends(sql, botId, reported, sql`new.sent_at < stored.sent_at`);
}

/**
 * Stores the number of recipients of a broadcast or narrowcast from LINE's stored statistics. Returns the changes of the daily sums.
 * Idempotent.
 */
export async function updateRecipients(
  sql: Queryable,
  botId: string,
  requestId: string,
): Promise<SendDayChange[]> {
  const answered = sql`
    select request_id, kind, unit, ${deliveredIn(sql)} as recipients, sent_at, reply_token_hash, link_set
    from line_sends join line_message_events answer using (bot_id, request_id)
    where bot_id = ${botId} and request_id = ${requestId} and ${hasOwnStatistics(sql)}`;
  return putSends(sql, botId, answered, sql`new.recipients <> coalesce(stored.recipients, -1)`);
}

/** Stores the sends of a query that are unknown or replace the stored ones, and adds their changes to the daily sums. */
async function putSends(
  sql: Queryable,
  botId: string,
  sends: Fragment,
  isReplacing: Fragment,
): Promise<SendDayChange[]> {
  return sql<SendDayChange[]>`
    with new as (${sends}), changed as (
      select new.*, stored.kind as old_kind, stored.recipients as old_recipients, stored.sent_at as old_sent_at
      from new
      left join lateral (
        select kind, recipients, sent_at from line_sends
        where line_sends.bot_id = ${botId} and line_sends.request_id = new.request_id limit 1
      ) stored on true
      where stored.kind is null or ${isReplacing}
    ), put as (
      insert into line_sends (bot_id, request_id, kind, unit, recipients, sent_at, reply_token_hash, link_set)
      select ${botId}, request_id, kind, unit, recipients, sent_at, reply_token_hash, link_set from changed
      on conflict (bot_id, request_id) do update set
        kind = excluded.kind, unit = excluded.unit, recipients = excluded.recipients, sent_at = excluded.sent_at,
        reply_token_hash = excluded.reply_token_hash, link_set = excluded.link_set
    ), changes as (
      select sent_at, kind, recipients, 1 as sign from changed
      union all
      select old_sent_at, old_kind, old_recipients, -1 from changed where old_kind is not null
    ), sums as (
      select (sent_at at time zone ${lineZone})::date as day, kind,
        coalesce(sum(sign * recipients), 0)::bigint as recipients,
        coalesce(sum(sign) filter (where recipients is null), 0)::bigint as unknown_sends
      from changes group by 1, 2
    ), put_sums as (
      insert into line_send_days as kept (bot_id, day, kind, recipients, unknown_sends)
      select ${botId}, day, kind, recipients, unknown_sends from sums
      on conflict (bot_id, day, kind) do update set
        recipients = kept.recipients + excluded.recipients,
        unknown_sends = kept.unknown_sends + excluded.unknown_sends
    )
    select to_char(day, 'YYYY-MM-DD') as day, kind, recipients, unknown_sends as "unknownSends" from sums`;
}

/** For queries: true for kinds whose statistics LINE reports by request id. */
function hasOwnStatistics(sql: Queryable): Fragment {
  return sql`kind in ('broadcast', 'narrowcast')`;
}

/** For queries: the number of recipients in LINE's statistics; null: not reported yet. */
function deliveredIn(sql: Queryable): Fragment {
  return sql`jsonb_path_query_first(answer.value,
    'strict $.overview.delivered ? (@.type() == "number" && @ >= 0 && @ <= 9007199254740991 && @ % 1 == 0)', '{}', true)::bigint`;
}
