/**
 * Filters and orders of contacts. The list, its count, exports and the audiences of sends all use the same conditions, so they select
 * the same contacts.
 */
import type { Fragment, Queryable } from '../database/client.ts';
import { instantOf } from '../database/instants.ts';
import { rowTable } from '../database/row-table.ts';
import { invalidInput } from '../errors.ts';
import { normalContactId } from '../platforms/contact-ids.ts';
import type { EventKind } from '../platforms/event.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { availableInAccount } from '../points/balances.ts';
import { isActiveAt } from '../tags/coverage.ts';
import { addDays, dayStart } from '../time.ts';

/** Conditions that a contact meets; null: any. */
export type ContactFilter = {
  /** Contact id, or id on any platform. */
  id: string | null;
  customerId: string | null;
  /** True: bound to a customer. */
  hasCustomer: boolean | null;
  platform: PlatformName | null;
  /** Part of the name, in upper or lower case. */
  name: string | null;
  /** Id or name of a tag that the contact carries. */
  tag: string | null;
  blocked: boolean | null;
  /** True: a follower, blocked or not. */
  follower: boolean | null;
  /** Available points, both included. */
  pointsMin: number | null;
  pointsMax: number | null;
  /** Added at or after, and at or before (ms). */
  from: number | null;
  to: number | null;
  /** Last active at or after, and at or before (ms). A contact without an interaction meets neither. */
  activeFrom: number | null;
  activeTo: number | null;
};

/** The filter that every contact meets. */
export const anyContact: ContactFilter = {
  ...{ id: null, customerId: null, hasCustomer: null, platform: null, name: null, tag: null },
  ...{ blocked: null, follower: null, pointsMin: null, pointsMax: null },
  ...{ from: null, to: null, activeFrom: null, activeTo: null },
};

/** `points`: most points first; `active`: last active first, contacts without an interaction last. */
export type ContactOrder = 'newest' | 'oldest' | 'points' | 'active';

/** A page begins after this contact. `key` is its sort key: microseconds since 1970, or points. */
export type Cursor = { key: string; contactId: string };

/** The conditions for contacts that were added on these days of the zone. Throws Refusal INPUT_INVALID. */
export function addedBetween(
  { createdFrom, createdTo }: { createdFrom?: string | undefined; createdTo?: string | undefined },
  zone: string,
): Pick<ContactFilter, 'from' | 'to'> {
  return instantsOf([createdFrom, createdTo], ['createdFrom', 'createdTo'], zone);
}

/** The conditions for contacts that were last active on these days of the zone. Throws Refusal INPUT_INVALID. */
export function activeBetween(
  { activeFrom, activeTo }: { activeFrom?: string | undefined; activeTo?: string | undefined },
  zone: string,
): Pick<ContactFilter, 'activeFrom' | 'activeTo'> {
  const { from, to } = instantsOf([activeFrom, activeTo], ['activeFrom', 'activeTo'], zone);
  return { activeFrom: from, activeTo: to };
}

function instantsOf(
  [first, last]: readonly [string | undefined, string | undefined],
  [firstName, lastName]: readonly [string, string],
  zone: string,
) {
  if (first !== undefined && last !== undefined && first > last)
    throw invalidInput(`${firstName} must not be after ${lastName}, ${last}.`);
  return {
    from: first === undefined ? null : dayStart(first, zone),
    to: last === undefined ? null : dayStart(addDays(last, 1), zone) - 1,
  };
}

type Moment = { botId: string; now: number };

/** For queries: the condition of the bot's contacts that meet the filter. */
export function isListed(
  sql: Queryable,
  { botId, now, ...filter }: Partial<ContactFilter> & Moment,
): Fragment {
  const { id, customerId, hasCustomer, platform, name, tag, blocked, follower, ...ranges } = {
    ...anyContact,
    ...filter,
  };
  const { pointsMin, pointsMax, from, to, activeFrom, activeTo } = ranges;
  const profiles = sql`select contact_id from contact_profiles where bot_id = ${botId}`;
  const none = sql``;
  return sql`contacts.bot_id = ${botId} and contacts.merged_into is null and contacts.forgotten_at is null
    ${id === null ? none : sql`and contacts.contact_id in (${named(sql, botId, id)})`}
    ${platform === null ? none : sql`and contacts.platform = ${platform}`}
    ${blocked === null ? none : sql`and contacts.blocked = ${blocked}`}
    ${follower === null ? none : sql`and (contacts.followed_at is not null) = ${follower}`}
    ${tag === null ? none : sql`and contacts.contact_id in (${carrying(sql, { botId, tag, now })})`}
    ${from === null ? none : sql`and contacts.created_at >= ${new Date(from)}`}
    ${to === null ? none : sql`and contacts.created_at < ${new Date(to + 1)}`}
    ${customerId === null ? none : sql`and contacts.contact_id in (${profiles} and customer_id = ${customerId.normalize('NFC')})`}
    ${hasCustomer === null ? none : sql`and ${hasCustomer ? none : sql`not`} exists (${profiles} and contact_profiles.contact_id = contacts.contact_id and customer_id is not null)`}
    ${name === null ? none : sql`and contacts.contact_id in (${profiles} and strpos(lower(name), lower(${name.normalize('NFC')})) > 0)`}
    ${pointsMin === null ? none : sql`and ${pointsOf(sql, { botId, now })} >= ${pointsMin}::bigint`}
    ${pointsMax === null ? none : sql`and ${pointsOf(sql, { botId, now })} <= ${pointsMax}::bigint`}
    ${activeFrom === null ? none : sql`and ${lastActive(sql, botId)} >= ${new Date(activeFrom)}`}
    ${activeTo === null ? none : sql`and ${lastActive(sql, botId)} < ${new Date(activeTo + 1)}`}`;
}

/** For queries over the bot's `contacts`: the sort key, the direction, and the condition of contacts after the cursor. */
export function orderOf(
  sql: Queryable,
  order: ContactOrder,
  { botId, now, after }: Moment & { after: Cursor | null },
): { key: Fragment; direction: Fragment; isAfter: Fragment } {
  const key = {
    newest: () => sql`contacts.created_at`,
    oldest: () => sql`contacts.created_at`,
    points: () => pointsOf(sql, { botId, now }),
    active: () => sql`coalesce(${lastActive(sql, botId)}, 'epoch')`,
  }[order]();
  const direction = order === 'oldest' ? sql`asc` : sql`desc`;
  if (after === null) return { key, direction, isAfter: sql`true` };
  const last = order === 'points' ? sql`${after.key}::bigint` : instantOf(sql, after.key);
  const comparison = order === 'oldest' ? sql`>` : sql`<`;
  return {
    key,
    direction,
    isAfter: sql`(${key}, contacts.contact_id) ${comparison} (${last}, ${after.contactId})`,
  };
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

// A scalar sub-select with a limit makes PostgreSQL look up each contact in the index instead of reading all events or accounts.
function lastActive(sql: Queryable, botId: string): Fragment {
  return sql`(
    select happened_at from events
    where events.bot_id = ${botId} and events.contact_id = contacts.contact_id
      and kind = any(${[...interactions]}::text[])
    order by happened_at desc limit 1)`;
}

function pointsOf(sql: Queryable, { botId, now }: Moment): Fragment {
  return sql`coalesce((
    select ${availableInAccount(sql, botId, now)}::bigint from point_accounts account
    where account.bot_id = ${botId} and account.contact_id = contacts.contact_id limit 1), 0)`;
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
