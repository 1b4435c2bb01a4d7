/**
 * Receipts: whether accepted messages were delivered and read. The fold stores Meta's receipts as events; this reads them for the recipients of
 * recent sends, page by page and round after round, so that no webhook costs more. The sends take turns, and a round of an older send
 * begins later.
 *
 *     WhatsApp               the statuses delivered, read and failed of the message
 *     Messenger, Instagram   a receipt of the contact covers all messages up to its watermark (Instagram: its time)
 */
import type { Queryable, Sql } from '../database/client.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { dayMs, hourMs, secondMs } from '../time.ts';
import type { Send } from './sends.ts';

type ReceivedSend = Pick<Send, 'botId' | 'sendId' | 'platform'>;

/** The platforms that report receipts. */
export const receiptPlatforms: ReadonlySet<PlatformName> = new Set(['facebook', 'instagram', 'whatsapp']);

const countedMs = 7 * dayMs;
const pageSize = 1_000;
const sendsAtOnce = 50;
const roundPauseMs = { min: 10 * secondMs, max: hourMs };

/** Reads a page of each of some recent sends, those that wait longest first. Safe to repeat, by any number of processes. */
export async function readReceipts(
  sql: Sql,
  { now, sendsMax = sendsAtOnce, page = pageSize }: { now: number; sendsMax?: number; page?: number },
  isStopped: () => boolean,
): Promise<void> {
  const sends = await sql<ReceivedSend[]>`
    select bot_id as "botId", send_id as "sendId", platform from sends
    where receipts_due_at <= ${new Date(now)} order by receipts_due_at, bot_id, send_id limit ${sendsMax}`;
  for (const send of sends) {
    if (isStopped()) return;
    await readPage(sql, send, { now, page });
  }
}

/** When the next page is due. A round of pages is over at the last claimed recipient; null: no round follows. */
function nextDue({ isLast, endedAt }: { isLast: boolean; endedAt: Date | null }, now: number): Date | null {
  if (!isLast) return new Date(now);
  const age = endedAt === null ? 0 : now - endedAt.getTime();
  if (age >= countedMs) return null;
  return new Date(now + Math.min(roundPauseMs.max, Math.max(roundPauseMs.min, age / 10)));
}

async function readPage(
  sql: Sql,
  { botId, sendId, platform }: ReceivedSend,
  { now, page }: { now: number; page: number },
): Promise<void> {
  await sql.begin(async (tx) => {
    const [send] = await tx<{ after: number; claimed: number; endedAt: Date | null }[]>`
      select receipts_upto as after, claimed, ended_at as "endedAt" from sends
      where bot_id = ${botId} and send_id = ${sendId} and receipts_due_at <= ${new Date(now)} for update skip locked`;
    if (!send) return;
    const upTo = send.after + page;
    const isLast = upTo >= send.claimed;
    const receipts = platform === 'whatsapp' ? statuses(tx, botId) : ofContact(tx, { botId, platform });
    await tx`
      with page as materialized (
        select position, contact_id, message_id, settled_at, delivered_at, read_at from send_recipients
        where bot_id = ${botId} and send_id = ${sendId} and position > ${send.after} and position <= ${upTo}
          and state = 'accepted' and read_at is null
      ), received as (
        select position, page.delivered_at as old_delivered_at, coalesce(receipt.delivered_at, receipt.read_at) as delivered_at,
          receipt.read_at, failed
        from page cross join lateral (${receipts}) receipt
        where coalesce(receipt.read_at, receipt.delivered_at) is not null or failed
      ), put as (
        update send_recipients recipient set delivered_at = coalesce(recipient.delivered_at, received.delivered_at),
          read_at = received.read_at, state = case when failed then 'refused' else recipient.state end,
          code = case when failed then 'failed' else recipient.code end
        from received
        where recipient.bot_id = ${botId} and recipient.send_id = ${sendId} and recipient.position = received.position
      )
      update sends set
        delivered = delivered + (select count(*) from received where old_delivered_at is null and delivered_at is not null),
        read = read + (select count(*) from received where read_at is not null),
        accepted = accepted - (select count(*) from received where failed),
        refused = refused + (select count(*) from received where failed),
        receipts_due_at = ${nextDue({ ...send, isLast }, now)}, receipts_upto = ${isLast ? 0 : upTo},
        updated_at = case when exists (select from received) then ${new Date(now)} else updated_at end
      where bot_id = ${botId} and send_id = ${sendId}`;
  });
}

/** WhatsApp's statuses of a message. A message that failed after it was accepted was not delivered. */
function statuses(sql: Queryable, botId: string) {
  const at = (status: string) => sql`(
    select happened_at from events
    where bot_id = ${botId} and platform = 'whatsapp' and key = 'status:' || page.message_id || ${`:${status}`} limit 1)`;
  return sql`
    select delivered_at, read_at, failed_at is not null and coalesce(delivered_at, read_at) is null as failed
    from (select ${at('delivered')} as delivered_at, ${at('read')} as read_at, ${at('failed')} as failed_at) status`;
}

/**
 * The first receipts of the contact that cover the message. The webhook of the sent message has the platform's time of it; without one,
 * the time of the result less the time that the calls of a window may take.
 */
function ofContact(sql: Queryable, { botId, platform }: Pick<ReceivedSend, 'botId' | 'platform'>) {
  const first = (detail: string) => sql`(
    select received_at from events
    where bot_id = ${botId} and contact_id = page.contact_id and platform = ${platform} and kind = 'other'
      and detail = ${detail} and happened_at >= sent.at
    order by happened_at limit 1)`;
  return sql`
    select ${first('delivery')} as delivered_at, ${first('read')} as read_at, false as failed
    from (
      select coalesce((
        select happened_at from events where bot_id = ${botId} and platform = ${platform} and key = 'message:' || page.message_id
      ), page.settled_at - interval '1 minute') as at
    ) sent`;
}
