/**
 * Interaction statistics: LINE's answers, stored unchanged, and our gateway's counts for the same sends (figures.md, section 8). A
 * broadcast or narrowcast has statistics by its request id; pushes, multicasts and phone-number pushes
 * have them by aggregation unit.
 *
 * Of two answers about the same subject, the one that was received later stays. For a send, an answer with the number of
 * recipients takes precedence over one without it.
 */
import type { Fragment, Queryable, Transaction } from '../database/client.ts';
import type { Tally } from '../rollups/counters.ts';
import { addDays, lineDayStart } from '../time.ts';
import type { LineAnswer, Statistic } from './answers.ts';
import { withOriginalUrls } from './clicks.ts';
import type { InteractionKind } from './interactions.ts';
import { tallySends } from './outbound.ts';
import { putRichMenuReport } from './rich-menus.ts';
import { updateRecipients } from './sends.ts';

/** People and actions for one bubble and URL; seq 0: any bubble; an empty URL: any URL. */
export type Count = { kind: InteractionKind; seq: number; url: string; total: number; people: number };

/** LINE's answer about a send, or about a unit on the same days (null: none is stored), and our counts. */
export type UnitStatistics = { snapshot: LineAnswer | null; counts: Count[] };
export type MessageStatistics = UnitStatistics & {
  /** Our send with that request id, `sentAt` in ms; null: none. */
  send: { sentAt: number; recipients: number | null } | null;
};

/** The collector's name for a unit's statistics of some days. No unit's name has a space. */
export function unitSubject({ unit, from, to }: { unit: string; from: string; to: string }): string {
  return `${unit} ${from} ${to}`;
}

/**
 * Stores LINE's answers and tallies their recipients. Returns the number of accepted answers. Idempotent. For a transaction that
 * holds the bot's lock.
 */
export async function putStatistics(
  tx: Transaction,
  tally: Tally,
  { botId, statistics, receivedAt }: { botId: string; statistics: readonly Statistic[]; receivedAt: number },
): Promise<number> {
  let stored = 0;
  for (const statistic of statistics) {
    if ('richMenuId' in statistic) {
      stored += await putRichMenuReport(tx, botId, statistic, new Date(receivedAt));
      continue;
    }
    const { count } = await upsert(tx, botId, statistic, new Date(receivedAt));
    stored += count;
    if (count === 0 || statistic.kind === 'unit') continue;
    await tallySends(tx, botId, tally, await updateRecipients(tx, botId, statistic.requestId));
  }
  return stored;
}

/** Returns the statistics of a send. LINE's answer contains the original URLs instead of our links. */
export async function readMessageStatistics(
  sql: Queryable,
  { botId, requestId }: { botId: string; requestId: string },
): Promise<MessageStatistics> {
  const [row] = await sql<[MessageStatistics]>`
    select
      (select value from line_message_events where bot_id = ${botId} and request_id = ${requestId}) as snapshot,
      (select json_build_object('sentAt', (extract(epoch from sent_at) * 1000)::bigint, 'recipients', recipients)
        from line_sends where bot_id = ${botId} and request_id = ${requestId}) as send,
      (select ${countList(sql)} from line_interaction_counts where bot_id = ${botId} and request_id = ${requestId}) as counts`;
  const { snapshot: answer } = row;
  return { ...row, snapshot: await withOriginalUrls(sql, { botId, answer, sent: { requestId } }) };
}

/** Returns the statistics of a unit's sends of the days. LINE's answer contains the original URLs. */
export async function readUnitStatistics(
  sql: Queryable,
  { botId, unit, from, to }: { botId: string; unit: string; from: string; to: string },
): Promise<UnitStatistics> {
  const [start, end] = [new Date(lineDayStart(from)), new Date(lineDayStart(addDays(to, 1)))];
  const [row] = await sql<[UnitStatistics]>`
    with sends as (
      select bot_id, request_id from line_sends
      where bot_id = ${botId} and unit = ${unit} and kind in ('push', 'multicast', 'pnp')
        and sent_at >= ${start} and sent_at < ${end}
    ),
    totals as (
      select kind, seq, url_hash, url, sum(total) as total
      from sends join line_interaction_counts using (bot_id, request_id)
      where line_interaction_counts.bot_id = ${botId}
      group by kind, seq, url_hash, url
    ),
    people as (
      select kind, seq, url_hash, count(distinct person) as people
      from sends join line_interaction_people using (bot_id, request_id)
      where line_interaction_people.bot_id = ${botId}
      group by kind, seq, url_hash
    )
    select
      (select value from line_unit_events
        where bot_id = ${botId} and unit = ${unit} and first_day = ${from} and last_day = ${to}) as snapshot,
      (select ${countList(sql)} from totals join people using (kind, seq, url_hash)) as counts`;
  const { snapshot: answer } = row;
  return { ...row, snapshot: await withOriginalUrls(sql, { botId, answer, sent: { unit } }) };
}

/** For queries: the counts as a list. */
function countList(sql: Queryable): Fragment {
  return sql`coalesce(json_agg(json_build_object(
    'kind', kind, 'seq', seq, 'url', url, 'total', total, 'people', people) order by kind, seq, url), '[]')`;
}

type SendStatistic = Extract<Statistic, { kind: 'message-event' | 'unit' }>;

function upsert(tx: Transaction, botId: string, statistic: SendStatistic, receivedAt: Date) {
  const value = JSON.stringify(statistic.value);
  if (statistic.kind === 'unit') {
    const { unit, from, to } = statistic;
    return tx`
      insert into line_unit_events as kept (bot_id, unit, first_day, last_day, value, received_at)
      values (${botId}, ${unit}, ${from}, ${to}, ${value}::text::jsonb, ${receivedAt})
      on conflict (bot_id, unit, first_day, last_day) do update
        set value = excluded.value, received_at = excluded.received_at
        where kept.received_at <= excluded.received_at`;
  }
  return tx`
    insert into line_message_events as kept (bot_id, request_id, value, received_at)
    values (${botId}, ${statistic.requestId}, ${value}::text::jsonb, ${receivedAt})
    on conflict (bot_id, request_id) do update
      set value = excluded.value, received_at = excluded.received_at
      where (coalesce(jsonb_typeof(kept.value #> '{overview,delivered}') = 'number', false), kept.received_at)
        <= (coalesce(jsonb_typeof(excluded.value #> '{overview,delivered}') = 'number', false), excluded.received_at)`;
}
