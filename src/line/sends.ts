/**
 * Writes sends through our gateway, and their sums by day in UTC+9.
 *
 * LINE's request id identifies a send. A send that is reported several times, in any order, is stored once, with its earliest
 * reported time. If LINE's statistics of the send give the number of recipients, that number is used.
 */
import type { Queryable } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { msOf } from '../database/times.ts';
import { dayOf, lineZone } from '../time.ts';
import { deliveredRecipients, type LineAnswer } from './answers.ts';
import type { SendKind } from './daily-figures.ts';
import { type SendDayChange, sendDayColumns } from './outbound.ts';

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
  const earliest = earliestOf(sends);
  if (earliest.length === 0) return [];
  const stored = await selectSends(
    sql,
    botId,
    earliest.map(({ requestId }) => requestId),
  );
  const newSends: Send[] = [];
  const changes: SendDayChange[] = [];
  for (const send of earliest) {
    const { before, answer } = stored.get(send.requestId) ?? { before: null, answer: null };
    if (before !== null && before.sentAt <= send.sentAt) continue;
    const delivered = hasOwnStatistics(send.kind) && answer !== null ? deliveredRecipients(answer) : null;
    const recipients = delivered ?? send.recipients;
    newSends.push({ ...send, recipients });
    if (before !== null) changes.push(dayOfSend(before, -1));
    changes.push(dayOfSend({ ...send, recipients }, 1));
  }
  await Promise.all([upsertSends(sql, botId, newSends), addToDays(sql, botId, changes)]);
  return changes;
}

/**
 * Stores the number of recipients of a broadcast or narrowcast from LINE's statistics. Returns the changes of the daily sums.
 * Idempotent.
 */
export async function updateRecipients(
  sql: Queryable,
  botId: string,
  { requestId, recipients }: { requestId: string; recipients: number },
): Promise<SendDayChange[]> {
  const { before = null } = (await selectSends(sql, botId, [requestId])).get(requestId) ?? {};
  if (before === null || !hasOwnStatistics(before.kind) || before.recipients === recipients) return [];
  const changes = [dayOfSend(before, -1), dayOfSend({ ...before, recipients }, 1)];
  await Promise.all([
    sql`update line_sends set recipients = ${recipients} where bot_id = ${botId} and request_id = ${requestId}`,
    addToDays(sql, botId, changes),
  ]);
  return changes;
}

/** True for kinds whose statistics LINE reports by request id. */
function hasOwnStatistics(kind: SendKind): boolean {
  return kind === 'broadcast' || kind === 'narrowcast';
}

function earliestOf(sends: readonly Send[]): Send[] {
  const byId = new Map<string, Send>();
  for (const send of sends) {
    const same = byId.get(send.requestId);
    if (!same || send.sentAt < same.sentAt) byId.set(send.requestId, send);
  }
  return [...byId.values()];
}

type DatedSend = Pick<Send, 'kind' | 'recipients' | 'sentAt'>;

function dayOfSend({ kind, recipients, sentAt }: DatedSend, sign: 1 | -1): SendDayChange {
  const day = dayOf(sentAt, lineZone);
  return { day, kind, recipients: sign * (recipients ?? 0), unknownSends: recipients === null ? sign : 0 };
}

/** Returns the stored sends and LINE's answers about them; null: none. */
async function selectSends(
  sql: Queryable,
  botId: string,
  requestIds: readonly string[],
): Promise<Map<string, { before: DatedSend | null; answer: LineAnswer | null }>> {
  const rows = await sql<{ requestId: string; before: DatedSend | null; answer: LineAnswer | null }[]>`
    select requested.request_id as "requestId", send.before, answer.value as answer
    from ${rowTable(sql, 'requested', requestIds, { request_id: ['text', (requestId) => requestId] })}
    left join lateral (
      select json_build_object('kind', kind, 'recipients', recipients, 'sentAt', ${msOf(sql, 'sent_at')}) as before from line_sends
      where line_sends.bot_id = ${botId} and line_sends.request_id = requested.request_id limit 1
    ) send on true
    left join lateral (
      select value from line_message_events
      where line_message_events.bot_id = ${botId} and line_message_events.request_id = requested.request_id limit 1
    ) answer on true`;
  return new Map(rows.map((row) => [row.requestId, row]));
}

async function upsertSends(sql: Queryable, botId: string, sends: readonly Send[]): Promise<void> {
  if (sends.length === 0) return;
  await sql`
    insert into line_sends (bot_id, request_id, kind, unit, recipients, sent_at, reply_token_hash, link_set)
    select ${botId}, request_id, kind, unit, recipients, sent_at, decode(token_hash, 'hex'), link_set
    from ${rowTable(sql, 'new', sends, {
      request_id: ['text', ({ requestId }) => requestId],
      kind: ['text', ({ kind }) => kind],
      unit: ['text', ({ unit }) => unit],
      recipients: ['bigint', ({ recipients }) => recipients],
      sent_at: ['timestamptz', ({ sentAt }) => sentAt],
      token_hash: ['text', ({ replyTokenHash }) => replyTokenHash ?? null],
      link_set: ['text', ({ linkSet }) => linkSet ?? null],
    })}
    on conflict (bot_id, request_id) do update set
      kind = excluded.kind, unit = excluded.unit, recipients = excluded.recipients, sent_at = excluded.sent_at,
      reply_token_hash = excluded.reply_token_hash, link_set = excluded.link_set`;
}

async function addToDays(sql: Queryable, botId: string, changes: readonly SendDayChange[]): Promise<void> {
  if (changes.length === 0) return;
  await sql`
    insert into line_send_days as kept (bot_id, day, kind, recipients, unknown_sends)
    select ${botId}, day, kind, sum(recipients)::bigint, sum(unknown_sends)::bigint
    from ${rowTable(sql, 'change', changes, sendDayColumns)} group by day, kind
    on conflict (bot_id, day, kind) do update set
      recipients = kept.recipients + excluded.recipients,
      unknown_sends = kept.unknown_sends + excluded.unknown_sends`;
}
