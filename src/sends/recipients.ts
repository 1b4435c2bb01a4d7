/**
 * Recipients: finds the contacts that a caller names, and lists the recipients of a send with their results.
 */
import { findByAnyIds, findContacts } from '../contacts/contacts.ts';
import type { Fragment, Queryable } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { SendKey } from './sends.ts';

/** The contacts of the platform with these ids, in their order: ids on the platform, or contact ids. */
export async function findRecipients(
  sql: Queryable,
  botId: string,
  { platform, ids }: { platform: PlatformName; ids: readonly string[] },
): Promise<{ contactIds: string[]; unknownContacts: number }> {
  const distinct = [...new Set(ids)];
  const onPlatform = await findContacts(sql, botId, platform, distinct);
  const others = distinct.filter((id) => !onPlatform.has(id));
  const byContactId = others.length === 0 ? new Map() : await findByAnyIds(sql, botId, others);
  const named = distinct.map((id): string => onPlatform.get(id) ?? byContactId.get(id) ?? '');
  const rows = await sql<{ contactId: string }[]>`
    select contact_id as "contactId" from contacts
    where bot_id = ${botId} and platform = ${platform} and forgotten_at is null
      and contact_id = any (${textList([...new Set(named)])}::text[])`;
  const valid = new Set(rows.map(({ contactId }) => contactId));
  const contactIds = [...new Set(named.filter((id) => valid.has(id)))];
  return { contactIds, unknownContacts: named.filter((id) => !valid.has(id)).length };
}

/** Of named contacts: those that a send would reach, and those that it would leave out. */
export async function countNamed(
  sql: Queryable,
  botId: string,
  contactIds: readonly string[],
): Promise<{ recipients: number; blocked: number }> {
  const [row] = await sql<{ recipients: number; blocked: number }[]>`
    select count(*) filter (where not blocked) as recipients, count(*) filter (where blocked) as blocked
    from contacts where bot_id = ${botId} and contact_id = any (${textList(contactIds)}::text[])`;
  return row ?? { recipients: 0, blocked: 0 };
}

export const recipientStates = ['pending', 'accepted', 'refused', 'unknown', 'blocked'] as const;
export type RecipientState = (typeof recipientStates)[number];
export type ListedRecipient = {
  position: number;
  contactId: string;
  name: string | null;
  state: RecipientState;
  code: string | null;
  messageId: string | null;
  settledAt: Date | null;
  deliveredAt: Date | null;
  readAt: Date | null;
};

/** A page of recipients in the order of sending, after a position. */
export async function listRecipients(
  sql: Queryable,
  { botId, sendId }: SendKey,
  { state, after, limit }: { state: RecipientState | null; after: number | null; limit: number },
): Promise<ListedRecipient[]> {
  return sql<ListedRecipient[]>`
    select page.position, page.contact_id as "contactId", profile.name,
      case when page.is_pending then 'pending' else page.state end as state, page.code,
      page.message_id as "messageId", page.settled_at as "settledAt", page.delivered_at as "deliveredAt",
      page.read_at as "readAt"
    from (
      select *, ${isPending(sql)} as is_pending from send_recipients recipient
      where bot_id = ${botId} and send_id = ${sendId} and position > ${after ?? 0}
        ${state === null ? sql`` : state === 'pending' ? sql`and ${isPending(sql)}` : sql`and state = ${state}`}
      order by position limit ${limit}
    ) page
    left join contact_profiles profile on profile.bot_id = ${botId} and profile.contact_id = page.contact_id
    order by page.position`;
}

/** For queries over a `recipient`: true without a result. */
export function isPending(sql: Queryable): Fragment {
  return sql`recipient.state in ('planned', 'waiting')`;
}
