/** The user who answers a chat. */
import type { Queryable } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { refuseUnknown } from './chats.ts';
import type { ChatKey } from './signals.ts';

export type Assignee = { userId: string; name: string };

/** The users who may answer chats of the bot, by name. */
export async function listAssignees(sql: Queryable, botId: string): Promise<Assignee[]> {
  return sql<Assignee[]>`
    select user_id as "userId", name from users
    where scope <> 'read' and disabled_at is null and (bot_ids is null or bot_ids @> array[${botId}::text])
    order by name_key`;
}

/** Assigns a chat to a user; null: to no user. Safe to repeat. Throws Refusal CHAT_NOT_FOUND, USER_NOT_FOUND. */
export async function assignChat(
  sql: Queryable,
  { botId, visitorId }: ChatKey,
  userId: string | null,
): Promise<void> {
  if (userId !== null && !(await listAssignees(sql, botId)).some((user) => user.userId === userId))
    throw new Refusal('USER_NOT_FOUND', `There is no user ${JSON.stringify(userId)} who may answer chats.`);
  const changed = await sql`
    update chat_visitors set assignee_id = ${userId} where bot_id = ${botId} and visitor_id = ${visitorId}`;
  if (changed.count === 0) refuseUnknown({ botId, visitorId });
}
