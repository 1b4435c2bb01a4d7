/**
 * The contacts of live chats. Statements on chats do not join other tables, because chats stay in one place when contacts are distributed
 * (database/cluster.ts).
 */
import type { Queryable } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { type ChatKey, keyOf } from './signals.ts';

/** The chats with a blocked visitor, by `keyOf`. */
export async function blockedChats(sql: Queryable, chats: readonly ChatKey[]): Promise<ReadonlySet<string>> {
  const rows = await sql<ChatKey[]>`
    select bot_id as "botId", platform_contact_id as "visitorId" from contacts
    where bot_id = any (${textList([...new Set(chats.map(({ botId }) => botId))])}::text[]) and platform = 'liveChat'
      and platform_contact_id = any (${textList(chats.map(({ visitorId }) => visitorId))}::text[]) and blocked`;
  return new Set(rows.map(keyOf));
}

export type ChatContact = { contactId: string; blocked: boolean; userName: string | null };

/** The contacts of a bot's visitors, by visitor id. */
export async function chatContacts(
  sql: Queryable,
  botId: string,
  visitorIds: readonly string[],
): Promise<ReadonlyMap<string, ChatContact>> {
  if (visitorIds.length === 0) return new Map();
  const rows = await sql<(ChatContact & { visitorId: string })[]>`
    select contacts.platform_contact_id as "visitorId", contacts.contact_id as "contactId", blocked,
      user_name as "userName"
    from contacts
    left join contact_profiles profile on profile.bot_id = ${botId} and profile.contact_id = contacts.contact_id
    where contacts.bot_id = ${botId} and contacts.platform = 'liveChat'
      and contacts.platform_contact_id = any (${textList(visitorIds)}::text[])`;
  return new Map(rows.map(({ visitorId, ...contact }) => [visitorId, contact]));
}

/** The visitors whose contact has the id, or a name that contains the text, ignoring case. */
export async function visitorsLike(sql: Queryable, botId: string, search: string): Promise<string[]> {
  const rows = await sql<{ visitorId: string }[]>`
    select contacts.platform_contact_id as "visitorId"
    from contacts
    left join contact_profiles profile on profile.bot_id = ${botId} and profile.contact_id = contacts.contact_id
    where contacts.bot_id = ${botId} and contacts.platform = 'liveChat'
      and (contacts.contact_id = ${search} or strpos(lower(user_name), lower(${search})) > 0)`;
  return rows.map(({ visitorId }) => visitorId);
}
