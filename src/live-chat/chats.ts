/**
 * Chats as the business sees them: one for each visitor with a message, newest message first.
 */
import type { components } from '../../contracts/types/management.ts';
import { userNames } from '../auth/users.ts';
import type { Fragment, Queryable } from '../database/client.ts';
import { msOf } from '../database/instants.ts';
import { textList } from '../database/lists.ts';
import { Refusal } from '../errors.ts';
import { chatContacts, visitorsLike } from './chat-contacts.ts';
import { messageColumns } from './message.ts';

export type Chat = components['schemas']['Chat'];
/** The position of a chat in the list: the time of its newest message (ms). */
export type ChatCursor = { at: number; visitorId: string };

const unreadMax = 100;
const unreadChatsMax = 500;

/**
 * Chats with a message, newest first. `search`: part of a name or of the customer's id, ignoring case, or a whole visitor id or
 * contact id.
 */
export async function listChats(
  sql: Queryable,
  botId: string,
  {
    state,
    search,
    after,
    limit,
    now,
  }: {
    state: 'open' | 'closed' | 'all';
    search: string | null;
    after: ChatCursor | null;
    limit: number;
    now: number;
  },
): Promise<(Chat & ChatCursor)[]> {
  const text = search === null ? null : search.normalize('NFC');
  return select(sql, botId, {
    where: sql`chat_visitors.bot_id = ${botId} and last_message_at is not null
      ${state === 'all' ? sql`` : sql`and closed = ${state === 'closed'}`}
      ${text === null ? sql`` : sql`and ${matches(sql, text, await visitorsLike(sql, botId, text))}`}
      ${after === null ? sql`` : sql`and (last_message_at, chat_visitors.visitor_id) < (${new Date(after.at)}, ${after.visitorId})`}`,
    limit,
    now,
  });
}

/** The chat of a visitor. Throws Refusal CHAT_NOT_FOUND. */
export async function findChat(
  sql: Queryable,
  { botId, visitorId }: { botId: string; visitorId: string },
  { now }: { now: number },
): Promise<Chat> {
  const where = sql`chat_visitors.bot_id = ${botId} and chat_visitors.visitor_id = ${visitorId}`;
  const [row] = await select(sql, botId, { where, limit: 1, now });
  if (!row) refuseUnknown({ botId, visitorId });
  const { at: _, ...chat } = row;
  return chat;
}

/** The visitors' unseen messages in open chats, among the newest chats; and whether the bot has a live chat. */
export async function countUnread(
  sql: Queryable,
  botId: string,
): Promise<{ unread: number; connected: boolean }> {
  const [[row], channels] = await Promise.all([
    sql<{ unread: number }[]>`
      with newest as materialized (
        select chat_visitors.* from chat_visitors
        where chat_visitors.bot_id = ${botId} and last_message_at is not null
        order by last_message_at desc, visitor_id desc limit ${unreadChatsMax}
      )
      select coalesce(sum((select count(*) from (
          select from chat_messages
          where chat_messages.bot_id = newest.bot_id and chat_messages.visitor_id = newest.visitor_id
            and sequence > newest.seen_by_business and sender = 'visitor' limit ${unreadMax}) unseen)), 0)::integer as unread
      from newest where not closed and seen_by_business < last_sequence`,
    sql`select from channels where bot_id = ${botId} and platform = 'liveChat'`,
  ]);
  return { unread: row?.unread ?? 0, connected: channels.length > 0 };
}

/** Closes or reopens a chat; the next message reopens it, too. Safe to repeat. Throws Refusal CHAT_NOT_FOUND. */
export async function setClosed(
  sql: Queryable,
  { botId, visitorId }: { botId: string; visitorId: string },
  closed: boolean,
): Promise<void> {
  const changed = await sql`
    update chat_visitors set closed = ${closed} where bot_id = ${botId} and visitor_id = ${visitorId}`;
  if (changed.count === 0) refuseUnknown({ botId, visitorId });
}

export function refuseUnknown({ botId, visitorId }: { botId: string; visitorId: string }): never {
  throw new Refusal('CHAT_NOT_FOUND', `Bot ${botId} has no live chat with ${visitorId}.`);
}

/** `visitorIds`: those whose contact matches the search. */
function matches(sql: Queryable, search: string, visitorIds: readonly string[]): Fragment {
  return sql`(strpos(lower(chat_visitors.name), lower(${search})) > 0
    or strpos(lower(identifier), lower(${search})) > 0 or chat_visitors.visitor_id = ${search}
    or chat_visitors.visitor_id = any (${textList(visitorIds)}::text[]))`;
}

// The page is selected first. The limits make PostgreSQL look the other values up by key.
async function select(
  sql: Queryable,
  botId: string,
  { where, limit, now }: { where: Fragment; limit: number; now: number },
): Promise<(Chat & ChatCursor)[]> {
  const rows = await sql<
    (Omit<Chat, 'contactId' | 'blocked' | 'assignee'> & { assigneeId: string | null } & ChatCursor)[]
  >`
    with page as materialized (
      select chat_visitors.* from chat_visitors where ${where}
      order by last_message_at desc, visitor_id desc limit ${limit}
    )
    select page.visitor_id as "visitorId", page.name,
      identifier is not null as identified, language, page_url as "pageUrl", last_sequence as "lastSequence",
      assignee_id as "assigneeId", case when closed then 'closed' else 'open' end as state, ${msOf(sql, 'last_message_at')} as at,
      (select count(*)::integer from (
        select from chat_messages
        where chat_messages.bot_id = page.bot_id and chat_messages.visitor_id = page.visitor_id
          and sequence > page.seen_by_business and sender = 'visitor' limit ${unreadMax}) unseen) as unread,
      exists (
        select from chat_online
        where chat_online.bot_id = page.bot_id and chat_online.visitor_id = page.visitor_id
          and online_until > ${new Date(now)}) as online,
      (select row_to_json(newest) from (
        select ${messageColumns(sql)} from chat_messages
        where chat_messages.bot_id = page.bot_id and chat_messages.visitor_id = page.visitor_id
        order by sequence desc limit 1) newest) as "lastMessage",
      (select text from chat_messages
        where chat_messages.bot_id = page.bot_id and chat_messages.visitor_id = page.visitor_id and sender = 'visitor'
        order by sequence desc limit 1) as "lastVisitorText"
    from page
    order by last_message_at desc, page.visitor_id desc`;
  const [contacts, users] = await Promise.all([
    chatContacts(
      sql,
      botId,
      rows.map(({ visitorId }) => visitorId),
    ),
    userNames(
      sql,
      rows.flatMap(({ assigneeId }) => assigneeId ?? []),
    ),
  ]);
  return rows.map(({ assigneeId, ...row }) => {
    const { contactId = null, blocked = false, userName = null } = contacts.get(row.visitorId) ?? {};
    const assigneeName = assigneeId === null ? undefined : users.get(assigneeId);
    const assignee =
      assigneeId === null || assigneeName === undefined ? null : { userId: assigneeId, name: assigneeName };
    return { ...row, contactId, blocked, assignee, name: userName ?? row.name };
  });
}
