/**
 * Sends that went through our gateway, and their sums by day in UTC+9: the writes.
 *
 * A send is known by LINE's request id. However often and in whatever order it is told, it is kept once, as of the earliest
 * time told, and with the recipients that LINE's answer about it tells, where there is one.
 */
import type { Queryable } from '../database/client.ts';
import { dayOf, lineZone } from '../time.ts';
import { deliveredRecipients, type LineAnswer } from './answers.ts';
import type { SendKind } from './daily-figures.ts';
import type { SendDayChange } from './outbound.ts';

export type Send = {
  /** LINE's X-Line-Request-Id of the send call. */
  requestId: string;
  kind: SendKind;
  /** Custom aggregation unit. */
  unit: string | null;
  /** Null: not known. */
  recipients: number | null;
  /** ms. */
  sentAt: number;
  /** Of a reply, in hexadecimal digits. */
  replyTokenHash?: string | null;
  /** The links that its URLs were replaced by. */
  linkSet?: string | null;
};

/**
 * Keeps sends, and gives what that changes in the sends of days. Of one send that is told several times (again with its retry
 * key) the earliest stays, so repeating it and the order do not matter. For a transaction that holds the bot's lock.
 */
export async function recordSends(
  sql: Queryable,
  botId: string,
  sends: readonly Send[],
): Promise<SendDayChange[]> {
  const earliest = earliestOf(sends);
  if (earliest.length === 0) return [];
  const before = await selectKnown(
    sql,
    botId,
    earliest.map(({ requestId }) => requestId),
  );
  const written: Send[] = [];
  const changes: SendDayChange[] = [];
  for (const send of earliest) {
    const { kept, answer } = before.get(send.requestId) ?? { kept: null, answer: null };
    if (kept !== null && kept.sentAt <= send.sentAt) continue;
    const told = isTold(send.kind) && answer !== null ? deliveredRecipients(answer) : null;
    const recipients = told ?? send.recipients;
    written.push({ ...send, recipients });
    if (kept !== null) changes.push(dayOfSend(kept, -1));
    changes.push(dayOfSend({ ...send, recipients }, 1));
  }
  await Promise.all([upsertSends(sql, botId, written), addToDays(sql, botId, changes)]);
  return changes;
}

/** Keeps a send. Safe to repeat. */
export async function recordSend(sql: Queryable, botId: string, send: Send): Promise<void> {
  await recordSends(sql, botId, [send]);
}

/**
 * Notes how many a broadcast or narrowcast went to, as LINE's answer has it. Gives what that changes in the sends of its day.
 * Safe to repeat.
 */
export async function learnRecipients(
  sql: Queryable,
  botId: string,
  { requestId, recipients }: { requestId: string; recipients: number },
): Promise<SendDayChange[]> {
  const { kept = null } = (await selectKnown(sql, botId, [requestId])).get(requestId) ?? {};
  if (kept === null || !isTold(kept.kind) || kept.recipients === recipients) return [];
  const changes = [dayOfSend(kept, -1), dayOfSend({ ...kept, recipients }, 1)];
  await Promise.all([
    sql`update line_sends set recipients = ${recipients} where bot_id = ${botId} and request_id = ${requestId}`,
    addToDays(sql, botId, changes),
  ]);
  return changes;
}

/** Of these kinds LINE's statistics tell how many they went to, by request id. */
function isTold(kind: SendKind): boolean {
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

/** The sends as they are kept, and LINE's answers about them; null: there is none. */
async function selectKnown(
  sql: Queryable,
  botId: string,
  requestIds: readonly string[],
): Promise<Map<string, { kept: DatedSend | null; answer: LineAnswer | null }>> {
  const rows = await sql<
    {
      request_id: string;
      kind: SendKind | null;
      recipients: number | null;
      sent_at: Date | null;
      answer: LineAnswer | null;
    }[]
  >`
    select asked.request_id, kept.kind, kept.recipients, kept.sent_at, answer.value as answer
    from unnest(${requestIds as string[]}::text[]) as asked (request_id)
    left join lateral (
      select kind, recipients, sent_at from line_sends
      where line_sends.bot_id = ${botId} and line_sends.request_id = asked.request_id limit 1
    ) kept on true
    left join lateral (
      select value from line_message_events
      where line_message_events.bot_id = ${botId} and line_message_events.request_id = asked.request_id limit 1
    ) answer on true`;
  return new Map(
    rows.map(({ request_id, kind, recipients, sent_at, answer }) => [
      request_id,
      { kept: kind && sent_at && { kind, recipients, sentAt: sent_at.getTime() }, answer },
    ]),
  );
}

async function upsertSends(sql: Queryable, botId: string, sends: readonly Send[]): Promise<void> {
  if (sends.length === 0) return;
  await sql`
    insert into line_sends (bot_id, request_id, kind, unit, recipients, sent_at, reply_token_hash, link_set)
    select ${botId}, request_id, kind, unit, recipients, to_timestamp(sent_ms / 1000::float8), decode(token_hash, 'hex'),
      link_set
    from unnest(${sends.map(({ requestId }) => requestId)}::text[], ${sends.map(({ kind }) => kind)}::text[],
      ${sends.map(({ unit }) => unit)}::text[], ${sends.map(({ recipients }) => recipients)}::bigint[],
      ${sends.map(({ sentAt }) => sentAt)}::bigint[],
      ${sends.map(({ replyTokenHash }) => replyTokenHash ?? null)}::text[],
      ${sends.map(({ linkSet }) => linkSet ?? null)}::text[])
      as new (request_id, kind, unit, recipients, sent_ms, token_hash, link_set)
    on conflict (bot_id, request_id) do update set
      kind = excluded.kind, unit = excluded.unit, recipients = excluded.recipients, sent_at = excluded.sent_at,
      reply_token_hash = excluded.reply_token_hash, link_set = excluded.link_set`;
}

async function addToDays(sql: Queryable, botId: string, changes: readonly SendDayChange[]): Promise<void> {
  const days = new Map<string, SendDayChange>();
  for (const { day, kind, recipients, unknownSends } of changes) {
    const sum = days.get(`${day} ${kind}`) ?? { day, kind, recipients: 0, unknownSends: 0 };
    sum.recipients += recipients;
    sum.unknownSends += unknownSends;
    days.set(`${day} ${kind}`, sum);
  }
  const summed = [...days.values()];
  if (summed.length === 0) return;
  await sql`
    insert into line_send_days as kept (bot_id, day, kind, recipients, unknown_sends)
    select ${botId}, change.* from unnest(${summed.map(({ day }) => day)}::date[],
      ${summed.map(({ kind }) => kind)}::text[], ${summed.map(({ recipients }) => recipients)}::bigint[],
      ${summed.map(({ unknownSends }) => unknownSends)}::bigint[]) as change
    on conflict (bot_id, day, kind) do update set
      recipients = kept.recipients + excluded.recipients,
      unknown_sends = kept.unknown_sends + excluded.unknown_sends`;
}
