/**
 * Reads of messages and images, and the numbers up to which each side has seen them.
 */
import type { components } from '../../contracts/types/live-chat.ts';
import type { Queryable } from '../database/client.ts';
import { type ChatMessage, messageColumns } from './message.ts';

type MessagePage = components['schemas']['Messages'];

/** A page of a visitor's messages: the first ones after a number, the last ones before one, or the newest. Null: no such visitor. */
export async function readMessages(
  sql: Queryable,
  { botId, visitorId }: { botId: string; visitorId: string },
  { after, before, limit }: { after?: number; before?: number; limit: number },
): Promise<MessagePage | null> {
  const direction = after === undefined ? sql`desc` : sql`asc`;
  const [[visitor], rows] = await Promise.all([
    sql<{ seenByBusiness: number; seenByVisitor: number }[]>`
      select seen_by_business as "seenByBusiness", seen_by_visitor as "seenByVisitor" from chat_visitors
      where bot_id = ${botId} and visitor_id = ${visitorId}`,
    sql<ChatMessage[]>`
      select ${messageColumns(sql)} from chat_messages
      where bot_id = ${botId} and visitor_id = ${visitorId}
        and sequence > ${after ?? 0} and sequence < ${before ?? Number.MAX_SAFE_INTEGER}
      order by sequence ${direction} limit ${limit + 1}`,
  ]);
  if (!visitor) return null;
  const messages = rows.slice(0, limit);
  if (after === undefined) messages.reverse();
  return { messages, hasMore: rows.length > limit, ...visitor };
}

/** Notes that a side has seen everything up to a number. Returns the new number if it increased, else null. */
export async function markSeen(
  sql: Queryable,
  { botId, visitorId }: { botId: string; visitorId: string },
  { by, sequence }: { by: 'visitor' | 'business'; sequence: number },
): Promise<number | null> {
  const column = sql(by === 'visitor' ? 'seen_by_visitor' : 'seen_by_business');
  const [row] = await sql<{ seen: number }[]>`
    update chat_visitors set ${column} = least(last_sequence, ${sequence}::bigint)
    where bot_id = ${botId} and visitor_id = ${visitorId} and ${column} < least(last_sequence, ${sequence}::bigint)
    returning ${column} as seen`;
  return row?.seen ?? null;
}

/** An image with its type; null: not found or expired. */
export async function readImage(
  sql: Queryable,
  { botId, visitorId, messageId }: { botId: string; visitorId: string; messageId: string },
): Promise<{ type: string; content: Uint8Array } | null> {
  const [row] = await sql<{ type: string; content: Uint8Array }[]>`
    select image_type as type, content from chat_images
    join chat_messages using (bot_id, visitor_id, message_id)
    where chat_images.bot_id = ${botId} and chat_images.visitor_id = ${visitorId}
      and chat_images.message_id = ${messageId}`;
  return row ?? null;
}
