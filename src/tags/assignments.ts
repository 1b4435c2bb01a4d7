/**
 * Assignments of tags to contacts, with their start and expiry.
 *
 * An automatic tag with an active life cycle is assigned for a number of days of 24 hours. Expiry is exact to the millisecond and
 * needs no job: readers omit expired assignments, and expiry.ts deletes them. Assigning an active tag again changes nothing;
 * assigning an expired one starts a new assignment.
 *
 * Assignments, their counts (coverage.ts) and their webhook messages (notify.ts) change in one transaction. It holds the bot's
 * lock, as every batch does, so no other process tags or merges contacts at the same time.
 */
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { dayMs } from '../time.ts';
import { contactTable, countRemoved, countUntagged, isActiveAt, refreshCoverEnds } from './coverage.ts';
import { assignmentColumns, deleteExpired, untaggedAt } from './expiry.ts';
import { enqueueTagChanges, type TagChange } from './notify.ts';
import { type Assignment, type NewAssignment, unknownTag } from './tag.ts';

/** Rows of one statement when a tag with very many contacts changes. */
const pageRows = 10_000;

/**
 * Assigns tags to contacts and returns the number of new assignments. The id of a merged contact means the contact that it was
 * merged into. An assignment that began too long ago has expired and is left out. Idempotent. Throws BOT_NOT_FOUND, TAG_NOT_FOUND.
 */
export async function assignTags(
  tx: Transaction,
  { botId, assignments }: { botId: string; assignments: readonly NewAssignment[] },
  { now }: { now: number },
): Promise<number> {
  await lockBot(tx, botId);
  const daysOf = await daysByTag(tx, { botId, tagIds: assignments.map(({ tagId }) => tagId) });
  const expiryOf = ({ tagId, beganAt = now }: NewAssignment): number | null => {
    const days = daysOf.get(tagId) ?? null;
    return days === null ? null : beganAt + days * dayMs;
  };
  const active = assignments.filter((one) => (expiryOf(one) ?? Number.POSITIVE_INFINITY) > now);
  const requested = distinct(await resolveMerged(tx, botId, active));
  const contactIds = contactIdsOf(requested);
  await countUntagged(tx, { botId, contactIds, sign: 1 });
  const expired = await deleteExpired(tx, { botId, assignments: requested }, { now });
  const added = await tx<Assignment[]>`
    insert into contact_tags (bot_id, contact_id, tag_id, created_at, ends_at)
    select ${botId}, contact_id, tag_id, began_at, ends_at
    from ${rowTable(tx, 'new', requested, {
      ...assignmentColumns,
      began_at: ['timestamptz', ({ beganAt = now }) => beganAt],
      ends_at: ['timestamptz', expiryOf],
    })}
    on conflict (bot_id, contact_id, tag_id) do nothing
    returning contact_id as "contactId", tag_id as "tagId"`;
  await refreshCoverEnds(tx, { botId, contactIds });
  const tagged = added.map((one): TagChange => ({ type: 'contact.tagged', ...one, at: now }));
  await enqueueTagChanges(tx, botId, [...expired, ...tagged], { now });
  return added.length;
}

/** Removes tags from contacts and returns the number of removed active assignments. Idempotent. Throws BOT_NOT_FOUND. */
export async function unassignTags(
  tx: Transaction,
  { botId, assignments }: { botId: string; assignments: readonly Assignment[] },
  { now }: { now: number },
): Promise<number> {
  await lockBot(tx, botId);
  const requested = distinct(await resolveMerged(tx, botId, assignments));
  const removed = await tx<RemovedAssignment[]>`
    delete from contact_tags using ${rowTable(tx, 'old', requested, assignmentColumns)}
    where contact_tags.bot_id = ${botId} and contact_tags.contact_id = old.contact_id
      and contact_tags.tag_id = old.tag_id
    returning contact_tags.contact_id as "contactId", contact_tags.tag_id as "tagId", contact_tags.ends_at as "endsAt"`;
  await finishRemoved(tx, botId, removed, { now });
  return removed.filter(({ endsAt }) => endsAt === null || endsAt.getTime() > now).length;
}

/** Removes a tag from all its contacts. The caller holds the bot's lock. */
export async function unassignAll(
  tx: Transaction,
  { botId, tagId }: { botId: string; tagId: string },
  { now }: { now: number },
): Promise<void> {
  for (;;) {
    const removed = await tx<RemovedAssignment[]>`
      delete from contact_tags where bot_id = ${botId} and tag_id = ${tagId} and contact_id = any (array(
        select contact_id from contact_tags where bot_id = ${botId} and tag_id = ${tagId} limit ${pageRows}))
      returning contact_id as "contactId", tag_id as "tagId", ends_at as "endsAt"`;
    await finishRemoved(tx, botId, removed, { now });
    if (removed.length < pageRows) return;
  }
}

/**
 * Lets a tag's active assignments expire `days` days after they began; null: never. Assignments that are older than that expire at
 * once; expired ones stay expired. The caller holds the bot's lock.
 */
export async function setExpiry(
  tx: Transaction,
  { botId, tagId, days }: { botId: string; tagId: string; days: number | null },
  { now }: { now: number },
): Promise<void> {
  const expiry =
    days === null
      ? tx`null`
      : tx`(created_at at time zone 'UTC' + ${days}::integer * interval '24 hours') at time zone 'UTC'`;
  let after = '';
  for (;;) {
    const page = await tx<{ contactId: string }[]>`
      select contact_id as "contactId" from contact_tags
      where bot_id = ${botId} and tag_id = ${tagId} and contact_id > ${after} order by contact_id limit ${pageRows}`;
    const contactIds = contactIdsOf(page);
    await tx`
      update contact_tags set ends_at = ${expiry}
      where bot_id = ${botId} and tag_id = ${tagId} and contact_id = any(${contactIds}::text[]) and ${isActiveAt(tx, now)}`;
    await refreshCoverEnds(tx, { botId, contactIds });
    if (page.length < pageRows) return;
    after = contactIds.at(-1) ?? '';
  }
}

/**
 * Moves one contact's assignments to another of its platform, in the transaction that merges the two and holds the bot's lock. If
 * both have a tag, the assignment that expires later stays; if neither expires, the older one. Idempotent.
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

/** Returns the number of contacts with each tag at `now` (ms), on one platform or on all. Omits tags without contacts. */
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
    where bot_id = ${botId} and tag_id = any(${tagIds as string[]}::text[]) and ${isActiveAt(sql, now)}
      and (${platform}::text is null or exists (
        select from contacts where contacts.bot_id = ${botId} and contacts.contact_id = contact_tags.contact_id
          and contacts.platform = ${platform}))
    group by tag_id`;
  return new Map(rows.map(({ tagId, carriers }) => [tagId, carriers]));
}

type RemovedAssignment = Assignment & { endsAt: Date | null };

/** Counts and reports removed assignments. An assignment that had already expired ended at its expiry. */
async function finishRemoved(
  tx: Transaction,
  botId: string,
  removed: readonly RemovedAssignment[],
  { now }: { now: number },
): Promise<void> {
  await countRemoved(tx, botId, removed);
  const changes = removed.map((one) => untaggedAt(one, Math.min(one.endsAt?.getTime() ?? now, now)));
  await enqueueTagChanges(tx, botId, changes, { now });
}

/** The days after which an assignment expires, by tag id; null: never. */
async function daysByTag(
  tx: Transaction,
  { botId, tagIds }: { botId: string; tagIds: readonly string[] },
): Promise<Map<string, number | null>> {
  const distinctIds = [...new Set(tagIds)];
  const rows = await tx<{ tagId: string; days: number | null }[]>`
    select tag_id as "tagId", case when life_cycle_active then life_cycle_days end as days from tags
    where bot_id = ${botId} and tag_id = any(${distinctIds}::text[])`;
  const daysOf = new Map(rows.map(({ tagId, days }) => [tagId, days]));
  const unknownId = distinctIds.find((tagId) => !daysOf.has(tagId));
  if (unknownId !== undefined) throw unknownTag(unknownId);
  return daysOf;
}

/** The same assignments, with the id of a merged contact replaced by that of the contact it was merged into. */
async function resolveMerged<One extends Assignment>(
  tx: Transaction,
  botId: string,
  assignments: readonly One[],
): Promise<One[]> {
  const rows = await tx<{ contact_id: string; merged_into: string }[]>`
    select contact.* from ${contactTable(tx, contactIdsOf(assignments))}
    cross join lateral (
      select contact_id, merged_into from contacts
      where bot_id = ${botId} and contact_id = requested.contact_id limit 1
    ) contact
    where merged_into is not null`;
  const survivors = new Map(rows.map((row) => [row.contact_id, row.merged_into]));
  return assignments.map((one) => ({ ...one, contactId: survivors.get(one.contactId) ?? one.contactId }));
}

function distinct<One extends Assignment>(assignments: readonly One[]): One[] {
  return [...new Map(assignments.map((one) => [`${one.contactId} ${one.tagId}`, one])).values()];
}

function contactIdsOf(rows: readonly { contactId: string }[]): string[] {
  return [...new Set(rows.map(({ contactId }) => contactId))];
}
