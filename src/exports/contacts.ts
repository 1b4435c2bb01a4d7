/**
 * The export of contacts, oldest first: profile, follower and block state, tags and points. Tags and points are those at the time
 * of the export. The import of contacts reads the same columns.
 */

import { interactions, isListed } from '../contacts/filter.ts';
import { isFormerId } from '../contacts/former-ids.ts';
import type { Fragment, Queryable } from '../database/client.ts';
import { availableInAccount } from '../points/balances.ts';
import { isActiveAt } from '../tags/coverage.ts';
import type { TagKind } from '../tags/tag.ts';
import { isoOf, isWithin, type Query, tableOf } from './table.ts';

export const contactsQuery: Query = {
  columns: {
    contact_id: 'plain',
    platform: 'plain',
    platform_contact_id: 'text',
    other_platform_contact_ids: 'list',
    customer_id: 'text',
    name: 'text',
    headshot: 'text',
    remark: 'text',
    user_name: 'text',
    user_email: 'text',
    user_phone: 'text',
    user_birthday: 'text',
    user_address: 'text',
    follower: 'boolean',
    followed_at: 'plain',
    followed_day: { dayOf: 'followed_at' },
    blocked: 'boolean',
    last_interact_at: 'plain',
    tags: 'list',
    personal_tags: 'list',
    automatic_tags: 'list',
    points: 'plain',
    points_balance: 'plain',
    created_at: 'plain',
    created_day: { dayOf: 'created_at' },
    account_name: 'text',
    picture_url: 'text',
    language: 'text',
    status_message: 'text',
  },
  source: (tx, scope) => tx`
    from contacts
    where ${scope.contacts === null ? tx`contacts.bot_id = ${scope.bot.botId} and contacts.merged_into is null` : isListed(tx, { ...scope.contacts, botId: scope.bot.botId, now: scope.now })}
      and ${isWithin(tx, 'contacts.created_at', scope)}`,
  // Limits and aggregates without groups force one index look-up for each contact.
  select: (tx, source, { bot: { botId }, now }) => tx`
    select contact.contact_id, contact.platform, contact.platform_contact_id,
      other.ids as other_platform_contact_ids, profile.customer_id, profile.name, profile.headshot, profile.remark,
      profile.user_name, profile.user_email, profile.user_phone, profile.user_birthday, profile.user_address,
      contact.followed_at is not null as follower, ${isoOf(tx, 'contact.followed_at')} as followed_at,
      null as followed_day, contact.blocked, ${isoOf(tx, 'latest.happened_at')} as last_interact_at,
      active.tags, active.personal_tags, active.automatic_tags,
      coalesce(points.available, 0)::bigint as points, coalesce(points.balance, 0) as points_balance,
      ${isoOf(tx, 'contact.created_at')} as created_at, null as created_day,
      profile.account_name, profile.picture_url, profile.language, profile.status_message
    from (select contacts.* ${source}) contact
    left join lateral (
      select * from contact_profiles
      where contact_profiles.bot_id = ${botId} and contact_profiles.contact_id = contact.contact_id limit 1
    ) profile on true
    cross join lateral (
      select coalesce(array_agg(platform_contact_id order by platform_contact_id), '{}') as ids from contacts merged
      where merged.bot_id = ${botId} and merged.merged_into = contact.contact_id and not ${isFormerId(tx)}
    ) other
    left join lateral (
      select happened_at from events
      where events.bot_id = ${botId} and events.contact_id = contact.contact_id
        and kind = any(${[...interactions]}::text[])
      order by happened_at desc limit 1
    ) latest on true
    cross join lateral (
      select ${namesOf(tx, 'manual')} as tags, ${namesOf(tx, 'personal')} as personal_tags, ${namesOf(tx, 'automatic')} as automatic_tags
      from contact_tags join tags on tags.bot_id = contact_tags.bot_id and tags.tag_id = contact_tags.tag_id
      where contact_tags.bot_id = ${botId} and contact_tags.contact_id = contact.contact_id and ${isActiveAt(tx, now)}
    ) active
    left join lateral (
      select balance, ${availableInAccount(tx, botId, now)} as available from point_accounts account
      where account.bot_id = ${botId} and account.contact_id = contact.contact_id limit 1
    ) points on true
    order by contact.created_at, contact.contact_id`,
};

export const contacts = tableOf(contactsQuery);

/** For queries: the names of the contact's active tags of a kind, in the order of assignment. */
function namesOf(sql: Queryable, kind: TagKind): Fragment {
  return sql`coalesce(array_agg(tags.name order by contact_tags.created_at, tags.name) filter (where tags.kind = ${kind}), '{}')`;
}
