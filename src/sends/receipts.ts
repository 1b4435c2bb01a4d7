/**
 * Receipts: whether accepted messages were delivered and read. The fold stores Meta's receipts as events; this reads them for the recipients of
 * recent sends, page by page and round after round, so that no webhook costs more.
 *
 *     WhatsApp               the statuses delivered, read and failed of the message
 *     Messenger, Instagram   a receipt of the contact covers all earlier messages
 */
import type { Queryable, Sql } from '../database/client.ts';
import { dayMs } from '../time.ts';
import type { Send } from './sends.ts';

type ReceivedSend = Pick<Send, 'botId' | 'sendId' | 'platform'>;

const countedDays = 7;
const pageSize = 1_000;
const sendsAtOnce = 200;

/** Reads a page of each of some recent sends, those not read for longest first. Safe to repeat, by any number of processes. */
export async function readReceipts(
  sql: Sql,
  { now, sendsMax = sendsAtOnce }: { now: number; sendsMax?: number },
  isStopped: () => boolean,
): Promise<void> {
  const sends = await sql<ReceivedSend[]>`
    select bot_id as "botId", send_id as "sendId", platform from sends
    where platform in ('facebook', 'instagram', 'whatsapp') and accepted > 0
      and (state in ('running', 'paused') or ended_at > ${new Date(now - countedDays * dayMs)})
    order by receipts_at nulls first, send_id limit ${sendsMax}`;
  for (const send of sends) {
    if (isStopped()) return;
    await readPage(sql, send, { now });
  }
}

async function readPage(
  sql: Sql,
  { botId, sendId, platform }: ReceivedSend,
  { now }: { now: number },
): Promise<void> {
  await sql.begin(async (tx) => {
    const [send] = await tx<{ after: number }[]>`
      select receipts_upto as after from sends where bot_id = ${botId} and send_id = ${sendId} for update skip locked`;
    if (!send) return;
    const receipts = platform === 'whatsapp' ? statuses(tx, botId) : ofContact(tx, { botId, platform });
    await tx`
      with page as materialized (
        select position, contact_id, message_id, settled_at, delivered_at, read_at from send_recipients
        where bot_id = ${botId} and send_id = ${sendId} and position > ${send.after} and state = 'accepted' and read_at is null
        order by position limit ${pageSize}
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
        receipts_at = ${new Date(now)}, receipts_upto = (select case when count(*) < ${pageSize} then 0 else max(position) end from page),
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

function ofContact(sql: Queryable, { botId, platform }: Pick<ReceivedSend, 'botId' | 'platform'>) {
  const first = (detail: string) => sql`(
    select happened_at from events
    where bot_id = ${botId} and contact_id = page.contact_id and platform = ${platform} and kind = 'other'
      and detail = ${detail} and happened_at >= page.settled_at - interval '1 minute'
    order by happened_at limit 1)`;
  return sql`select ${first('delivery')} as delivered_at, ${first('read')} as read_at, false as failed`;
}
