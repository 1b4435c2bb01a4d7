/**
 * Lists contacts with their profiles, tags and last interaction, page by page. Nothing is stored for it by the fold: the
 * last interaction is looked up in the events of each listed contact.
 */
import type { Fragment, Queryable } from '../database/client.ts';
import { microsOf, msOf } from '../database/instants.ts';
import type { EventKind } from '../platforms/event.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { isActiveAt } from '../tags/coverage.ts';
import type { TagKind } from '../tags/tag.ts';
import {
  type ContactFilter,
  type ContactOrder,
  type Cursor,
  interactions,
  isListed,
  orderOf,
} from './filter.ts';

/** Times in ms; null: unknown. */
export type ShownContact = {
  contactId: string;
  platform: PlatformName;
  platformContactId: string;
  /** Null: no follower. */
  followedAt: number | null;
  blocked: boolean;
  createdAt: number;
  updatedAt: number;
  /** The latest event of one of the kinds in `interactions`. */
  lastInteractAt: number | null;
  customerId: string | null;
  name: string | null;
  headshot: string | null;
  remark: string | null;
  userName: string | null;
  userEmail: string | null;
  userPhone: string | null;
  userBirthday: string | null;
  userAddress: string | null;
  accountName: string | null;
  /** At the platform. */
  pictureUrl: string | null;
  language: string | null;
  statusMessage: string | null;
  /** The tags that have not ended, oldest first. */
  tags: { tagId: string; kind: TagKind; name: string; createdAt: number; endsAt: number | null }[];
};

export type ContactQuery = Partial<ContactFilter> & {
  botId: string;
  order?: ContactOrder;
  limit: number;
  /** Contacts to skip; not together with a cursor. */
  offset: number;
  after: Cursor | null;
  now: number;
};

export type ContactPage = { contacts: ShownContact[]; next: Cursor | null };

/**
 * One page of the bot's contacts. Contacts that are added between two pages neither repeat nor hide others. In the orders `points` and
 * `active`, a contact whose key changes between two pages can repeat or be left out.
 */
export async function listContacts(sql: Queryable, query: ContactQuery): Promise<ContactPage> {
  const { limit, offset, after, order = 'newest', ...filter } = query;
  const { isAfter, ...sorting } = orderOf(sql, order, query);
  const rows = await select(sql, query, {
    where: sql`${isListed(sql, filter)} and ${isAfter}`,
    ...sorting,
    keyText: order === 'points' ? sql`page.sort_key::text` : microsOf(sql, 'page.sort_key'),
    limit: limit + 1,
    offset: after === null ? offset : 0,
  });
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return {
    contacts: page.map(toShown),
    next: last ? { key: last.key, contactId: last.contactId } : null,
  };
}

/** The number of the bot's contacts that meet the filter. */
export async function countContacts(
  sql: Queryable,
  query: Partial<ContactFilter> & { botId: string; now: number },
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::float8 as count from contacts where ${isListed(sql, query)}`;
  return row?.count ?? 0;
}

/** The contact with the contact id, or null. */
export async function showContact(
  sql: Queryable,
  { botId, contactId, now }: { botId: string; contactId: string; now: number },
): Promise<ShownContact | null> {
  const where = sql`contacts.bot_id = ${botId} and contacts.contact_id = ${contactId} and contacts.forgotten_at is null`;
  const { key, direction } = orderOf(sql, 'newest', { botId, now, after: null });
  const keyText = microsOf(sql, 'page.sort_key');
  const [row] = await select(sql, { botId, now }, { where, key, direction, keyText, limit: 1, offset: 0 });
  return row ? toShown(row) : null;
}

type Row = ShownContact & { key: string };

function toShown({ key: _, ...contact }: Row): ShownContact {
  return contact;
}

type Selection = {
  where: Fragment;
  key: Fragment;
  direction: Fragment;
  /** The key of a row of `page` as text. */
  keyText: Fragment;
  limit: number;
  offset: number;
};

async function select(
  sql: Queryable,
  { botId, now }: { botId: string; now: number },
  { where, key, direction, keyText, limit, offset }: Selection,
): Promise<Row[]> {
  // The contacts are selected first. The limits keep each look-up for a contact an index look-up.
  return sql<Row[]>`
    with page as materialized (
      select contacts.*, ${key} as sort_key from contacts where ${where}
      order by sort_key ${direction}, contacts.contact_id ${direction} limit ${limit} offset ${offset}
    )
    select page.contact_id as "contactId", page.platform, page.platform_contact_id as "platformContactId",
      ${msOf(sql, 'page.followed_at')} as "followedAt", page.blocked,
      ${keyText} as key, ${msOf(sql, 'page.created_at')} as "createdAt",
      greatest(${msOf(sql, 'page.created_at')}, ${msOf(sql, 'profile.updated_at')}) as "updatedAt",
      ${msOf(sql, 'latest.happened_at')} as "lastInteractAt",
      customer_id as "customerId", profile.name, headshot, remark, user_name as "userName", user_email as "userEmail",
      user_phone as "userPhone", user_birthday as "userBirthday", user_address as "userAddress",
      account_name as "accountName", picture_url as "pictureUrl", language, status_message as "statusMessage", carried.tags
    from page
    left join lateral (
      select * from contact_profiles
      where contact_profiles.bot_id = ${botId} and contact_profiles.contact_id = page.contact_id limit 1
    ) profile on true
    left join lateral (
      select happened_at from events
      where events.bot_id = ${botId} and events.contact_id = page.contact_id
        and kind = any(${interactions as EventKind[]}::text[])
      order by happened_at desc limit 1
    ) latest on true
    left join lateral (
      select coalesce(json_agg(json_build_object('tagId', tags.tag_id, 'kind', tags.kind, 'name', tags.name,
        'createdAt', ${msOf(sql, 'contact_tags.created_at')}, 'endsAt', ${msOf(sql, 'contact_tags.ends_at')}) order by contact_tags.created_at, tags.name), '[]') as tags
      from contact_tags join tags on tags.bot_id = contact_tags.bot_id and tags.tag_id = contact_tags.tag_id
      where contact_tags.bot_id = ${botId} and contact_tags.contact_id = page.contact_id and ${isActiveAt(sql, now)}
    ) carried on true
    order by page.sort_key ${direction}, page.contact_id ${direction}`;
}
