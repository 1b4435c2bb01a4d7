/**
 * Interaction statistics: LINE's answers, stored unchanged, and our gateway's counts for the same sends (figures.md, section 8). A
 * broadcast or narrowcast has statistics by its request id; pushes and multicasts have them by aggregation unit.
 *
 * Of two answers about the same subject, the one that was received later stays. For a send, an answer with the number of
 * recipients takes precedence over one without it.
 */
import type { Queryable, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { isObject, isStorable } from '../json.ts';
import type { Tally } from '../rollups/counters.ts';
import { addDays, isDay, lineDayStart } from '../time.ts';
import { deliveredRecipients, type LineAnswer } from './answers.ts';
import { withOriginalUrls } from './clicks.ts';
import type { InteractionKind } from './interactions.ts';
import { tallySends } from './outbound.ts';
import { updateRecipients } from './sends.ts';

export const statisticKinds = ['message-event', 'unit'] as const;
/** LINE's answer and its subject; days in UTC+9, both included. */
export type Statistic =
  | { kind: 'message-event'; requestId: string; value: LineAnswer }
  | { kind: 'unit'; unit: string; from: string; to: string; value: LineAnswer };

/** People and actions for one bubble and URL; seq 0: any bubble; an empty URL: any URL. */
export type Count = { kind: InteractionKind; seq: number; url: string; total: number; people: number };

export type MessageStatistics = {
  /** LINE's answer; null: none is stored. */
  snapshot: LineAnswer | null;
  /** Our send with that request id, `sentAt` in ms; null: none. */
  send: { sentAt: number; recipients: number | null } | null;
  counts: Count[];
};
export type UnitStatistics = {
  /** LINE's answer for the same days; null: none is stored. */
  snapshot: LineAnswer | null;
  counts: Count[];
};

const requestIdLengthMax = 200;
/** LINE's limit of the days from "from" to "to". */
export const unitDaysMax = 30;
export const unitForm = /^[a-zA-Z0-9_]{1,30}$/;

/** The collector's name for a unit's statistics of some days. No unit's name has a space. */
export function unitSubject({ unit, from, to }: { unit: string; from: string; to: string }): string {
  return `${unit} ${from} ${to}`;
}

/** Checks an entry {kind, requestId | unit, from, to, value}. Throws INPUT_INVALID with the expected form. */
export function readStatistic(entry: Record<string, unknown>): Statistic {
  const { kind, requestId, unit, from, to } = entry;
  const value = readValue(entry.value);
  if (kind === 'message-event') {
    const isText = typeof requestId === 'string' && isStorable(requestId);
    if (!isText || requestId === '' || requestId.length > requestIdLengthMax)
      refuse('requestId must be the X-Line-Request-Id of the send');
    return { kind, requestId, value };
  }
  if (kind !== 'unit') refuse(`kind must be one of ${statisticKinds.join(', ')}`);
  if (typeof unit !== 'string' || !unitForm.test(unit)) refuse('unit must be the name of a unit');
  const [first, last] = [readDay('from', from), readDay('to', to)];
  if (last < first || last > addDays(first, unitDaysMax))
    refuse(`to must be 0 to ${unitDaysMax} days after from`);
  return { kind, unit, from: first, to: last, value };
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
    const isStored = await putStatistic(tx, tally, { botId, statistic, receivedAt: new Date(receivedAt) });
    if (isStored) stored += 1;
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
      (select coalesce(json_agg(json_build_object(
          'kind', kind, 'seq', seq, 'url', url, 'total', total, 'people', people) order by kind, seq, url), '[]')
        from line_interaction_counts where bot_id = ${botId} and request_id = ${requestId}) as counts`;
  const { snapshot } = row;
  if (snapshot === null) return row;
  return { ...row, snapshot: await withOriginalUrls(sql, { botId, answer: snapshot, sent: { requestId } }) };
}

/** Returns the statistics of a unit's pushes and multicasts of the days. LINE's answer contains the original URLs. */
export async function readUnitStatistics(
  sql: Queryable,
  { botId, unit, from, to }: { botId: string; unit: string; from: string; to: string },
): Promise<UnitStatistics> {
  const [start, end] = [new Date(lineDayStart(from)), new Date(lineDayStart(addDays(to, 1)))];
  const [row] = await sql<[UnitStatistics]>`
    with sends as (
      select bot_id, request_id from line_sends
      where bot_id = ${botId} and unit = ${unit} and kind in ('push', 'multicast')
        and sent_at >= ${start} and sent_at < ${end}
    ),
    totals as (
      select kind, seq, url_hash, url, sum(total) as total
      from sends join line_interaction_counts using (bot_id, request_id)
      group by kind, seq, url_hash, url
    ),
    people as (
      select kind, seq, url_hash, count(distinct person) as people
      from sends join line_interaction_people using (bot_id, request_id)
      group by kind, seq, url_hash
    )
    select
      (select value from line_unit_events
        where bot_id = ${botId} and unit = ${unit} and first_day = ${from} and last_day = ${to}) as snapshot,
      (select coalesce(json_agg(json_build_object(
          'kind', kind, 'seq', seq, 'url', url, 'total', total, 'people', people) order by kind, seq, url), '[]')
        from totals join people using (kind, seq, url_hash)) as counts`;
  const { snapshot } = row;
  if (snapshot === null) return row;
  return { ...row, snapshot: await withOriginalUrls(sql, { botId, answer: snapshot, sent: { unit } }) };
}

async function putStatistic(
  tx: Transaction,
  tally: Tally,
  { botId, statistic, receivedAt }: { botId: string; statistic: Statistic; receivedAt: Date },
): Promise<boolean> {
  const value = JSON.stringify(statistic.value);
  if (statistic.kind === 'unit') {
    const { unit, from, to } = statistic;
    const { count } = await tx`
      insert into line_unit_events as kept (bot_id, unit, first_day, last_day, value, received_at)
      values (${botId}, ${unit}, ${from}, ${to}, ${value}::text::jsonb, ${receivedAt})
      on conflict (bot_id, unit, first_day, last_day) do update
        set value = excluded.value, received_at = excluded.received_at
        where kept.received_at <= excluded.received_at`;
    return count > 0;
  }
  const { requestId } = statistic;
  const { count } = await tx`
    insert into line_message_events as kept (bot_id, request_id, value, received_at)
    values (${botId}, ${requestId}, ${value}::text::jsonb, ${receivedAt})
    on conflict (bot_id, request_id) do update
      set value = excluded.value, received_at = excluded.received_at
      where (coalesce(jsonb_typeof(kept.value #> '{overview,delivered}') = 'number', false), kept.received_at)
        <= (coalesce(jsonb_typeof(excluded.value #> '{overview,delivered}') = 'number', false), excluded.received_at)`;
  if (count === 0) return false;
  const recipients = deliveredRecipients(statistic.value);
  if (recipients === null) return true;
  await tallySends(tx, botId, tally, await updateRecipients(tx, botId, { requestId, recipients }));
  return true;
}

function readValue(value: unknown): LineAnswer {
  if (!isObject(value)) refuse("value must be an object: LINE's unchanged answer");
  // PostgreSQL's jsonb cannot store other text.
  if (!isStorable(value)) refuse('value must contain valid Unicode without NUL');
  if (!isObject(value.overview)) refuse('value.overview must be an object');
  for (const name of ['messages', 'clicks']) {
    const list = value[name];
    if (!Array.isArray(list) || !list.every(isObject)) refuse(`value.${name} must be an array of objects`);
  }
  return value;
}

function readDay(name: string, day: unknown): string {
  const text = typeof day === 'string' ? day.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3') : '';
  if (!isDay(text)) refuse(`${name} must be a calendar day from 2000 to 2199, YYYYMMDD or YYYY-MM-DD`);
  return text;
}

function refuse(expectation: string): never {
  throw new Refusal('INPUT_INVALID', `${expectation}.`);
}
