/**
 * Tags of contacts, and how many contacts of each platform have at least one (`totals.tagged_contacts`).
 *
 * Count and tags change in one transaction, under the bot's lock that every fold takes: while it is held nobody else tags or
 * joins contacts, so what a statement counts is still so when the next one writes.
 */
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Transaction } from '../database/database.ts';
import { Refusal } from '../errors.ts';
import { type Change, tell } from '../outgoing/outbox.ts';
import type { PlatformName } from '../platforms/platform.ts';

export type ContactTag = { contactId: string; tag: string };

export const tagLengthMax = 100;

/** The name of a tag as it is kept: without spaces around it. Throws INPUT_INVALID unless it has 1 to 100 characters, none of them a control character. */
export function tagName(text: string): string {
  const name = text.trim();
  const length = [...name].length;
  if (length >= 1 && length <= tagLengthMax && !/[\p{Cc}\p{Cs}]/u.test(name)) return name;
  throw new Refusal(
    'INPUT_INVALID',
    `A tag has 1 to ${tagLengthMax} characters and no control characters, not ${JSON.stringify(text.slice(0, tagLengthMax + 1))}.`,
  );
}

/** Gives contacts their tags; gives the number of those that were new. Names from `tagName`. Safe to repeat. Throws BOT_NOT_FOUND. */
export async function addTags(
  tx: Transaction,
  { botId, tags }: { botId: string; tags: readonly ContactTag[] },
  { now }: { now: number },
): Promise<number> {
  await lockBot(tx, botId);
  const owned = await toOwners(tx, botId, tags);
  await countUntagged(tx, { botId, contactIds: contactIdsOf(owned), sign: 1 });
  const added = await tx<ContactTag[]>`
    insert into contact_tags (bot_id, contact_id, tag, created_at)
    select ${botId}, contact_id, tag, ${new Date(now)}
    from unnest(${owned.map(({ contactId }) => contactId)}::text[], ${owned.map(({ tag }) => tag)}::text[])
      as new (contact_id, tag)
    on conflict (bot_id, contact_id, tag) do nothing
    returning contact_id as "contactId", tag`;
  await tellTags(tx, botId, { type: 'contact.tagged', tags: added, now });
  return added.length;
}

/** Takes tags away; gives the number of those that were there. Safe to repeat. Throws BOT_NOT_FOUND. */
export async function removeTags(
  tx: Transaction,
  { botId, tags }: { botId: string; tags: readonly ContactTag[] },
  { now }: { now: number },
): Promise<number> {
  await lockBot(tx, botId);
  const owned = await toOwners(tx, botId, tags);
  const removed = await tx<ContactTag[]>`
    delete from contact_tags
    using unnest(${owned.map(({ contactId }) => contactId)}::text[], ${owned.map(({ tag }) => tag)}::text[])
      as old (contact_id, tag)
    where contact_tags.bot_id = ${botId} and contact_tags.contact_id = old.contact_id and contact_tags.tag = old.tag
    returning contact_tags.contact_id as "contactId", contact_tags.tag`;
  await countUntagged(tx, { botId, contactIds: contactIdsOf(removed), sign: -1 });
  await tellTags(tx, botId, { type: 'contact.untagged', tags: removed, now });
  return removed.length;
}

/**
 * Hands one contact's tags to another of its platform, in the transaction that joins the two and holds the bot's lock.
 * Safe to repeat.
 */
export async function moveTags(
  tx: Transaction,
  { botId, fromContactId, toContactId }: { botId: string; fromContactId: string; toContactId: string },
): Promise<void> {
  await tx`
    update totals set tagged_contacts = tagged_contacts - 1
    where bot_id = ${botId}
      and platform = (select platform from contacts where bot_id = ${botId} and contact_id = ${toContactId})
      and exists (select from contact_tags where bot_id = ${botId} and contact_id = ${fromContactId})
      and exists (select from contact_tags where bot_id = ${botId} and contact_id = ${toContactId})`;
  await tx`
    insert into contact_tags as kept (bot_id, contact_id, tag, created_at)
    select bot_id, ${toContactId}, tag, created_at from contact_tags
    where bot_id = ${botId} and contact_id = ${fromContactId}
    on conflict (bot_id, contact_id, tag) do update set created_at = least(kept.created_at, excluded.created_at)`;
  await tx`delete from contact_tags where bot_id = ${botId} and contact_id = ${fromContactId}`;
}

/** Contacts with at least one tag, by platform, counted anew; platforms without any are left out. */
export async function countTagged(sql: Queryable, botId: string): Promise<Map<PlatformName, number>> {
  const rows = await sql<{ platform: PlatformName; tagged: number }[]>`
    select platform, count(*)::integer as tagged from contacts
    where bot_id = ${botId} and merged_into is null and exists (
      select from contact_tags tag where tag.bot_id = ${botId} and tag.contact_id = contacts.contact_id)
    group by platform`;
  return new Map(rows.map(({ platform, tagged }) => [platform, tagged]));
}

async function tellTags(
  tx: Transaction,
  botId: string,
  {
    type,
    tags,
    now,
  }: { type: 'contact.tagged' | 'contact.untagged'; tags: readonly ContactTag[]; now: number },
): Promise<void> {
  const changes = tags.map(
    ({ contactId, tag }): Change => ({ type, contactId, at: now, data: { tag, kind: 'manual' } }),
  );
  await tell(tx, botId, changes, { now });
}

/** The same tags, each for the contact that its id stands for now. */
async function toOwners(tx: Transaction, botId: string, tags: readonly ContactTag[]): Promise<ContactTag[]> {
  const rows = await tx<{ contact_id: string; merged_into: string }[]>`
    select contact.* from unnest(${contactIdsOf(tags)}::text[]) as asked (contact_id)
    cross join lateral (
      select contact_id, merged_into from contacts
      where bot_id = ${botId} and contact_id = asked.contact_id limit 1
    ) contact
    where merged_into is not null`;
  const owners = new Map(rows.map((row) => [row.contact_id, row.merged_into]));
  return tags.map(({ contactId, tag }) => ({ contactId: owners.get(contactId) ?? contactId, tag }));
}

/** Adds to the totals (or takes off) the contacts that have no tag at this moment. */
async function countUntagged(
  tx: Transaction,
  { botId, contactIds, sign }: { botId: string; contactIds: string[]; sign: 1 | -1 },
): Promise<void> {
  await tx`
    insert into totals as kept (bot_id, platform, tagged_contacts)
    select ${botId}, platform, ${sign}::integer * count(*)
    from unnest(${contactIds}::text[]) as asked (contact_id)
    cross join lateral (
      select platform from contacts
      where bot_id = ${botId} and contact_id = asked.contact_id limit 1
    ) contact
    where (select 1 from contact_tags where bot_id = ${botId} and contact_id = asked.contact_id limit 1) is null
    group by platform
    on conflict (bot_id, platform) do update set tagged_contacts = kept.tagged_contacts + excluded.tagged_contacts`;
}

function contactIdsOf(tags: readonly { contactId: string }[]): string[] {
  return [...new Set(tags.map(({ contactId }) => contactId))];
}
