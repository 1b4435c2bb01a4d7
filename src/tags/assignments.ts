/**
 * Assignments: which contact carries which tag, since when, and until when.
 *
 * An automatic tag with an active life cycle is put on for so many days of 24 hours; the assignment ends by itself, to the
 * millisecond, without any job: a reader leaves out what is over (and tag-endings.ts deletes it). Putting on a tag that is on
 * changes nothing, one that has ended begins anew.
 *
 * Assignments, what is counted of them (tag-cover.ts) and what is told of them (tag-changes.ts) change in one transaction, under the bot's lock that every fold
 * takes: while it is held nobody else tags or joins contacts.
 */
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Transaction } from '../database/client.ts';
import { numberList, textList } from '../database/lists.ts';
import { Refusal } from '../errors.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { dayMs } from '../time.ts';
import { countUntagged, lastsAt, refreshCoverEnds, settleRemoved } from './coverage.ts';
import { deleteEnded, untagged } from './expiry.ts';
import { type TagChange, tellTags } from './notify.ts';
import type { Assignment } from './tag.ts';

/** Rows that one statement takes when a tag with very many contacts changes. */
const pageRows = 10_000;

/**
 * Puts tags on contacts; gives the number of assignments that began. Ids of joined contacts lead to the one they became. Safe
 * to repeat. Throws BOT_NOT_FOUND, TAG_NOT_FOUND.
 */
export async function assignTags(
  tx: Transaction,
  { botId, assignments }: { botId: string; assignments: readonly Assignment[] },
  { now }: { now: number },
): Promise<number> {
  await lockBot(tx, botId);
  const endOf = await endsByTag(tx, { botId, tagIds: assignments.map(({ tagId }) => tagId), now });
  const owned = distinct(await toOwners(tx, botId, assignments));
  const contactIds = contactIdsOf(owned);
  await countUntagged(tx, { botId, contactIds, sign: 1 });
  const ended = await deleteEnded(tx, { botId, assignments: owned }, { now });
  const begun = await tx<Assignment[]>`
    insert into contact_tags (bot_id, contact_id, tag_id, created_at, ends_at)
    select ${botId}, contact_id, tag_id, ${new Date(now)}, to_timestamp(ends_ms / 1000::float8)
    from unnest(${textList(owned.map(({ contactId }) => contactId))}::text[],
      ${textList(owned.map(({ tagId }) => tagId))}::text[],
      ${numberList(owned.map(({ tagId }) => endOf.get(tagId) ?? null))}::bigint[]) as new (contact_id, tag_id, ends_ms)
    on conflict (bot_id, contact_id, tag_id) do nothing
    returning contact_id as "contactId", tag_id as "tagId"`;
  await refreshCoverEnds(tx, { botId, contactIds });
  const tagged = begun.map((one): TagChange => ({ type: 'contact.tagged', ...one, at: now }));
  await tellTags(tx, botId, [...ended, ...tagged], { now });
  return begun.length;
}

/** Takes tags off contacts; gives the number of assignments that lasted until now. Safe to repeat. Throws BOT_NOT_FOUND. */
export async function unassignTags(
  tx: Transaction,
  { botId, assignments }: { botId: string; assignments: readonly Assignment[] },
  { now }: { now: number },
): Promise<number> {
  await lockBot(tx, botId);
  const owned = distinct(await toOwners(tx, botId, assignments));
  const removed = await tx<Removed[]>`
    delete from contact_tags
    using unnest(${textList(owned.map(({ contactId }) => contactId))}::text[],
      ${textList(owned.map(({ tagId }) => tagId))}::text[]) as old (contact_id, tag_id)
    where contact_tags.bot_id = ${botId} and contact_tags.contact_id = old.contact_id
      and contact_tags.tag_id = old.tag_id
    returning contact_tags.contact_id as "contactId", contact_tags.tag_id as "tagId", contact_tags.ends_at as "endsAt"`;
  await finishRemoved(tx, botId, removed, { now });
  return removed.filter(({ endsAt }) => endsAt === null || endsAt.getTime() > now).length;
}

/** Takes a tag off all its contacts. The caller holds the bot's lock. */
export async function unassignAll(
  tx: Transaction,
  { botId, tagId }: { botId: string; tagId: string },
  { now }: { now: number },
): Promise<void> {
  for (;;) {
    const removed = await tx<Removed[]>`
      delete from contact_tags where bot_id = ${botId} and tag_id = ${tagId} and contact_id = any (array(
        select contact_id from contact_tags where bot_id = ${botId} and tag_id = ${tagId} limit ${pageRows}))
      returning contact_id as "contactId", tag_id as "tagId", ends_at as "endsAt"`;
    await finishRemoved(tx, botId, removed, { now });
    if (removed.length < pageRows) return;
  }
}

/**
 * Lets a tag's assignments that last at `now` end so many days after they began; null: never. What has ended stays so, and what
 * should have ended before has ended with that. The caller holds the bot's lock.
 */
export async function endAfterDays(
  tx: Transaction,
  { botId, tagId, days }: { botId: string; tagId: string; days: number | null },
  { now }: { now: number },
): Promise<void> {
  const end = days === null ? tx`null` : tx`created_at + ${days}::integer * interval '24 hours'`;
  let after = '';
  for (;;) {
    const page = await tx<{ contactId: string }[]>`
      select contact_id as "contactId" from contact_tags
      where bot_id = ${botId} and tag_id = ${tagId} and contact_id > ${after} order by contact_id limit ${pageRows}`;
    const contactIds = contactIdsOf(page);
    await tx`
      update contact_tags set ends_at = ${end}
      where bot_id = ${botId} and tag_id = ${tagId} and contact_id = any(${contactIds}::text[]) and ${lastsAt(tx, now)}`;
    await refreshCoverEnds(tx, { botId, contactIds });
    if (page.length < pageRows) return;
    after = contactIds.at(-1) ?? '';
  }
}

/**
 * Hands one contact's assignments to another of its platform, in the transaction that joins the two and holds the bot's lock.
 * Of two of one tag the one that ends later stays; of two without end the older. Safe to repeat.
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
    insert into contact_tags as kept (bot_id, contact_id, tag_id, created_at, ends_at)
    select bot_id, ${toContactId}, tag_id, created_at, ends_at from contact_tags
    where bot_id = ${botId} and contact_id = ${fromContactId}
    on conflict (bot_id, contact_id, tag_id) do update set created_at = excluded.created_at, ends_at = excluded.ends_at
    where (coalesce(excluded.ends_at, 'infinity'), kept.created_at)
      > (coalesce(kept.ends_at, 'infinity'), excluded.created_at)`;
  await tx`delete from contact_tags where bot_id = ${botId} and contact_id = ${fromContactId}`;
  await refreshCoverEnds(tx, { botId, contactIds: [fromContactId, toContactId] });
}

/** How many contacts carry each tag at `now` (ms), on one platform or on all; tags without any are left out. */
export async function countCarriers(
  sql: Queryable,
  {
    botId,
    tagIds,
    platform = null,
    now,
  }: { botId: string; tagIds: readonly string[]; platform?: PlatformName | null; now: number },
): Promise<Map<string, number>> {
  const rows = await sql<{ tagId: string; carriers: number }[]>`
    select tag_id as "tagId", count(*)::integer as carriers from contact_tags
    where bot_id = ${botId} and tag_id = any(${tagIds as string[]}::text[]) and ${lastsAt(sql, now)}
      and (${platform}::text is null or exists (
        select from contacts where contacts.bot_id = ${botId} and contacts.contact_id = contact_tags.contact_id
          and contacts.platform = ${platform}))
    group by tag_id`;
  return new Map(rows.map(({ tagId, carriers }) => [tagId, carriers]));
}

type Removed = Assignment & { endsAt: Date | null };

/** One that had ended before was off since then. */
async function finishRemoved(
  tx: Transaction,
  botId: string,
  removed: readonly Removed[],
  { now }: { now: number },
): Promise<void> {
  await settleRemoved(tx, botId, removed);
  const changes = removed.map((one) => untagged(one, Math.min(one.endsAt?.getTime() ?? now, now)));
  await tellTags(tx, botId, changes, { now });
}

/** When an assignment that begins at `now` ends, by tag id; null: never. */
async function endsByTag(
  tx: Transaction,
  { botId, tagIds, now }: { botId: string; tagIds: readonly string[]; now: number },
): Promise<Map<string, number | null>> {
  const asked = [...new Set(tagIds)];
  const rows = await tx<{ tagId: string; days: number | null }[]>`
    select tag_id as "tagId", case when life_cycle_active then life_cycle_days end as days from tags
    where bot_id = ${botId} and tag_id = any(${asked}::text[])`;
  const ends = new Map(rows.map(({ tagId, days }) => [tagId, days === null ? null : now + days * dayMs]));
  const unknown = asked.find((tagId) => !ends.has(tagId));
  if (unknown !== undefined) throw new Refusal('TAG_NOT_FOUND', `The bot has no tag ${unknown}.`);
  return ends;
}

/** The same assignments, each for the contact that its id stands for now. */
async function toOwners(
  tx: Transaction,
  botId: string,
  assignments: readonly Assignment[],
): Promise<Assignment[]> {
  const rows = await tx<{ contact_id: string; merged_into: string }[]>`
    select contact.* from unnest(${contactIdsOf(assignments)}::text[]) as asked (contact_id)
    cross join lateral (
      select contact_id, merged_into from contacts
      where bot_id = ${botId} and contact_id = asked.contact_id limit 1
    ) contact
    where merged_into is not null`;
  const owners = new Map(rows.map((row) => [row.contact_id, row.merged_into]));
  return assignments.map(({ contactId, tagId }) => ({
    contactId: owners.get(contactId) ?? contactId,
    tagId,
  }));
}

function distinct(assignments: readonly Assignment[]): Assignment[] {
  return [...new Map(assignments.map((one) => [`${one.contactId} ${one.tagId}`, one])).values()];
}

function contactIdsOf(rows: readonly { contactId: string }[]): string[] {
  return [...new Set(rows.map(({ contactId }) => contactId))];
}
