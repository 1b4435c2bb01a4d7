/**
 * The reads of the hub (hub.ts), each for many chats.
 */
import type { Sql } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { blockedChats } from './chat-contacts.ts';
import { type ChatMessage, messageColumns } from './message.ts';
import { type ChatKey, chatColumns, keyOf } from './signals.ts';

/** A chat with news: the numbers of its signalled messages; `isWhole`: its seen and blocked state may be new, too. */
export type StaleChat = ChatKey & { sequences: Set<number>; isWhole: boolean };
export type Reading = StaleChat & { after: number };

/** The first messages of each chat after its number `after`, at most `limit`, in order. */
export function readNewMessages(
  sql: Sql,
  readings: readonly Reading[],
  { limit }: { limit: number },
): Promise<(ChatKey & { message: ChatMessage })[]> {
  return sql<(ChatKey & { message: ChatMessage })[]>`
    select wanted.bot_id as "botId", wanted.visitor_id as "visitorId", row_to_json(page) as message
    from ${readingTable(sql, readings)}
    cross join lateral (
      select ${messageColumns(sql)} from chat_messages
      where chat_messages.bot_id = wanted.bot_id and chat_messages.visitor_id = wanted.visitor_id
        and sequence > wanted.after
      order by sequence limit ${limit}
    ) page
    order by wanted.bot_id, wanted.visitor_id, page.sequence`;
}

/** Of each chat: the number up to which the business has seen it, and whether the visitor is blocked. */
export async function readVisitorStates(
  sql: Sql,
  readings: readonly Reading[],
): Promise<(ChatKey & { seen: number; blocked: boolean })[]> {
  const [visitors, blocked] = await Promise.all([
    sql<(ChatKey & { seen: number })[]>`
      select wanted.bot_id as "botId", wanted.visitor_id as "visitorId", seen
      from ${readingTable(sql, readings)}
      cross join lateral (
        select seen_by_business as seen from chat_visitors
        where chat_visitors.bot_id = wanted.bot_id and chat_visitors.visitor_id = wanted.visitor_id limit 1
      ) visitor`,
    blockedChats(sql, readings),
  ]);
  return visitors.map((visitor) => ({ ...visitor, blocked: blocked.has(keyOf(visitor)) }));
}

function readingTable(sql: Sql, readings: readonly Reading[]) {
  return rowTable(sql, 'wanted', readings, { ...chatColumns, after: ['bigint', ({ after }) => after] });
}
