/**
 * Taking chats out: everything of a visitor who is to be forgotten, and images whose time is over.
 */
import type { Queryable, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { dayMs } from '../time.ts';
import { sendSignals } from './signals.ts';

const imagesAtOnce = 200;

/** Keeps messages of the visitors from being stored until the transaction ends; what was stored before can be seen from then on. */
export async function lockChats(
  tx: Transaction,
  botId: string,
  visitorIds: readonly string[],
): Promise<void> {
  await tx`
    select from chat_visitors where bot_id = ${botId} and visitor_id = any (${textList(visitorIds)}::text[])
    order by visitor_id for update`;
}

/** Deletes the visitors with all that was written; their tokens open nothing any more. Safe to repeat. */
export async function eraseChats(
  tx: Transaction,
  botId: string,
  visitorIds: readonly string[],
): Promise<void> {
  for (const table of ['chat_images', 'chat_messages', 'chat_online', 'chat_visitors']) {
    await tx`
      delete from ${tx(table)} where bot_id = ${botId} and visitor_id = any (${textList(visitorIds)}::text[])`;
  }
  await tx`
    delete from chat_usage
    where bot_id = ${botId} and kind = 'visitor' and key = any (${textList(visitorIds)}::text[])`;
  await sendSignals(
    tx,
    visitorIds.map((visitorId) => ({ botId, visitorId, type: 'gone' })),
  );
}

/** Deletes images that are older than they are kept; their messages stay. `more`: there may be others. Safe to repeat. */
export async function purgeImages(
  sql: Queryable,
  botId: string,
  { now, imageDays }: { now: number; imageDays: number },
): Promise<{ more: boolean }> {
  const gone = await sql`
    delete from chat_images where bot_id = ${botId} and (visitor_id, message_id) in (
      select visitor_id, message_id from chat_images
      where bot_id = ${botId} and sent_at < ${new Date(now - imageDays * dayMs)} limit ${imagesAtOnce})`;
  return { more: gone.count === imagesAtOnce };
}
