/**
 * Deletion: all data of a visitor, and expired images.
 */
import type { Fragment, Queryable, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { dayMs } from '../time.ts';
import { sendSignals } from './signals.ts';

const imagesAtOnce = 200;

/** Blocks new messages of the visitors until the transaction ends. Messages stored before are visible after the lock. */
export async function lockChats(
  tx: Transaction,
  botId: string,
  visitorIds: readonly string[],
): Promise<void> {
  await tx`
    select from chat_visitors where bot_id = ${botId} and visitor_id = any (${textList(visitorIds)}::text[])
    order by visitor_id for update`;
}

/** Deletes the visitors with their assignments, messages and notes; their tokens become invalid. Safe to repeat. */
export async function eraseChats(
  tx: Transaction,
  botId: string,
  visitorIds: readonly string[],
): Promise<void> {
  for (const table of ['chat_images', 'chat_messages', 'chat_notes', 'chat_online', 'chat_visitors']) {
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

/** Deletes images older than `imageDays`; their messages stay. `more`: there may be others. Safe to repeat. */
export async function purgeImages(
  sql: Queryable,
  botId: string,
  age: { now: number; imageDays: number },
): Promise<{ more: boolean }> {
  const deleted = await sql`
    delete from chat_images where bot_id = ${botId} and (visitor_id, message_id) in (
      select visitor_id, message_id from chat_images
      where bot_id = ${botId} and ${isOldImage(sql, age)} limit ${imagesAtOnce})`;
  return { more: deleted.count === imagesAtOnce };
}

/** For queries over `chat_images`: true for images that `purgeImages` deletes. */
export function isOldImage(sql: Queryable, { now, imageDays }: { now: number; imageDays: number }): Fragment {
  return sql`sent_at < ${new Date(now - imageDays * dayMs)}`;
}
