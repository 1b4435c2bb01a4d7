/**
 * Lists contacts with their profiles, tags and last interaction, newest first, page by page. Nothing is stored for it by the fold: the
 * last interaction is looked up in the events of each listed contact.
 */
import type { Fragment, Queryable } from '../database/client.ts';
import { instantOf, microsOf, msOf } from '../database/instants.ts';
import { rowTable } from '../database/row-table.ts';
import { invalidInput } from '../errors.ts';
import { normalContactId } from '../platforms/contact-ids.ts';
import type { EventKind } from '../platforms/event.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { isActiveAt } from '../tags/coverage.ts';
import type { TagKind } from '../tags/tag.ts';
import { addDays, dayStart } from '../time.ts';

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

/** A page begins after this contact, the last one of the page before. `createdMicros` since 1970. */
export type Cursor = { createdMicros: string; contactId: string };

/** Conditions that a contact meets; null: any. */
export type ContactFilter = {
  /** Contact id, or id on any platform. */
  id: string | null;
  customerId: string | null;
  platform: PlatformName | null;
  /** Part of the name, in upper or lower case. */
  name: string | null;
  /** Id or name of a tag that the contact carries. */
  tag: string | null;
  blocked: boolean | null;
  /** Added at or after, and at or before (ms). */
  from: number | null;
  to: number | null;
};

/** The conditions for contacts that were added on these days of the zone. Throws Refusal INPUT_INVALID. */
export function addedBetween(
  { createdFrom, createdTo }: { createdFrom?: string | undefined; createdTo?: string | undefined },
  zone: string,
): Pick<ContactFilter, 'from' | 'to'> {
  if (createdFrom !== undefined && createdTo !== undefined && createdFrom > createdTo)
    throw invalidInput(`createdFrom must not be after createdTo, ${createdTo}.`);
  return {
    from: createdFrom === undefined ? null : dayStart(createdFrom, zone),
    to: createdTo === undefined ? null : dayStart(addDays(createdTo, 1), zone) - 1,
  };
}

export type ContactQuery = ContactFilter & {
  botId: string;
  limit: number;
  /** Contacts to skip; not together with a cursor. */
  offset: number;
  after: Cursor | null;
  now: number;
};

export type ContactPage = { contacts: ShownContact[]; next: Cursor | null };

/** One page of the bot's contacts. Contacts that are added between two pages neither repeat nor hide others. */
export async function listContacts(sql: Queryable, query: ContactQuery): Promise<ContactPage> {
  const { limit, offset, after } = query;
  const rows = await select(sql, query, {
    where: isListed(sql, query),
    limit: limit + 1,
    offset: after === null ? offset : 0,
  });
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return {
    contacts: page.map(toShown),
    next: last ? { createdMicros: last.createdMicros, contactId: last.contactId } : null,
  };
}

/** The contact with the contact id, or null. */
export async function showContact(
  sql: Queryable,
  { botId, contactId, now }: { botId: string; contactId: string; now: number },
): Promise<ShownContact | null> {
  const where = sql`contacts.bot_id = ${botId} and contacts.contact_id = ${contactId} and contacts.forgotten_at is null`;
  const [row] = await select(sql, { botId, now }, { where, limit: 1, offset: 0 });
  return row ? toShown(row) : null;
}

type Row = ShownContact & { createdMicros: string };

function toShown({ createdMicros: _, ...contact }: Row): ShownContact {
  return contact;
}

/** The events in which the contact acts itself. */
export const interactions: readonly EventKind[] = [
  'message-in',
  'follow',
  'unfollow',
  'postback',
  'optin',
  'referral',
];

type Selection = { where: Fragment; limit: number; offset: number };

async function select(
  sql: Queryable,
  { botId, now }: { botId: string; now: number },
  { where, limit, offset }: Selection,
): Promise<Row[]> {
  // The contacts are selected first. The limits keep each look-up for a contact an index look-up.
  return sql<Row[]>`
    with page as materialized (
      select contacts.* from contacts where ${where}
      order by contacts.created_at desc, contacts.contact_id desc limit ${limit} offset ${offset}
    )
    select page.contact_id as "contactId", page.platform, page.platform_contact_id as "platformContactId",
      ${msOf(sql, 'page.followed_at')} as "followedAt", page.blocked,
      ${microsOf(sql, 'page.created_at')} as "createdMicros", ${msOf(sql, 'page.created_at')} as "createdAt",
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
    order by page.created_at desc, page.contact_id desc`;
}

/** For queries: the condition of the bot's contacts that meet the filter and come after the cursor. */
export function isListed(
  sql: Queryable,
  {
    botId,
    after,
    now,
    id,
    customerId,
    platform,
    name,
    tag,
    blocked,
    from,
    to,
  }: ContactFilter & Pick<ContactQuery, 'botId' | 'after' | 'now'>,
): Fragment {
  const profiles = sql`select contact_id from contact_profiles where bot_id = ${botId}`;
  return sql`contacts.bot_id = ${botId} and contacts.merged_into is null and contacts.forgotten_at is null
    ${id === null ? sql`` : sql`and contacts.contact_id in (${named(sql, botId, id)})`}
    ${platform === null ? sql`` : sql`and contacts.platform = ${platform}`}
    ${blocked === null ? sql`` : sql`and contacts.blocked = ${blocked}`}
    ${tag === null ? sql`` : sql`and contacts.contact_id in (${carrying(sql, { botId, tag, now })})`}
    ${from === null ? sql`` : sql`and contacts.created_at >= ${new Date(from)}`}
    ${to === null ? sql`` : sql`and contacts.created_at < ${new Date(to + 1)}`}
    ${customerId === null ? sql`` : sql`and contacts.contact_id in (${profiles} and customer_id = ${customerId.normalize('NFC')})`}
    ${name === null ? sql`` : sql`and contacts.contact_id in (${profiles} and strpos(lower(name), lower(${name.normalize('NFC')})) > 0)`}
    ${after === null ? sql`` : sql`and (contacts.created_at, contacts.contact_id) < (${instantOf(sql, after.createdMicros)}, ${after.contactId})`}`;
}

function named(sql: Queryable, botId: string, id: string): Fragment {
  return sql`
    select coalesce(merged_into, contact_id) from contacts where bot_id = ${botId} and contact_id = ${id}
    union all
    select coalesce(merged_into, contact_id)
    from ${rowTable(sql, 'asked', platformNames, {
      platform: ['text', (platform) => platform],
      stored_id: ['text', (platform) => normalContactId(platform, id)],
    })}
    join contacts on contacts.bot_id = ${botId} and contacts.platform = asked.platform
      and contacts.platform_contact_id = asked.stored_id`;
}

function carrying(
  sql: Queryable,
  { botId, tag, now }: { botId: string; tag: string; now: number },
): Fragment {
  return sql`
    select contact_tags.contact_id from tags
    join contact_tags on contact_tags.bot_id = ${botId} and contact_tags.tag_id = tags.tag_id
    where tags.bot_id = ${botId} and (tags.tag_id = ${tag} or tags.name = ${tag.normalize('NFC')}) and ${isActiveAt(sql, now)}`;
}
