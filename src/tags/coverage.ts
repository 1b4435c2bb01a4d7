/**
 * Tag cover: the number of contacts of each platform with at least one active tag (figures.md, section 5).
 *
 * Assignments expire without a write, so no stored number is right at every moment. The stored values do not depend on the time:
 *
 *     totals.tagged_contacts   contacts with any assignment, expired or not
 *     tag_cover_ends           contacts whose assignments all expire, with the last expiry
 *
 * A reader subtracts the contacts whose last expiry has passed. That is an index look-up, in an index that is empty while no tag
 * expires. Each change of assignments holds the bot's lock and updates both.
 */
import type { Queryable, Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';

/** For queries over the bot's `totals`: the number of contacts that are tagged at `now` (ms). */
export function taggedAt(sql: Queryable, botId: string, now: number) {
  return sql`(totals.tagged_contacts - (
    select count(*) from tag_cover_ends ended
    where ended.bot_id = ${botId} and ended.platform = totals.platform and ended.ends_at <= ${new Date(now)}))`;
}

/** For queries: true if an assignment, a row of contact_tags under the alias, is active at `now` (ms). */
export function isActiveAt(sql: Queryable, now: number, alias = 'contact_tags') {
  const endsAt = sql(`${alias}.ends_at`);
  return sql`(${endsAt} is null or ${endsAt} > ${new Date(now)})`;
}

/** For queries: a table `requested` of contact ids. */
export function contactTable(sql: Queryable, contactIds: readonly string[]) {
  return rowTable(sql, 'requested', contactIds, { contact_id: ['text', (contactId) => contactId] });
}

/** Adds the contacts without an assignment, at this point of the transaction, to the totals, or subtracts them. */
export async function countUntagged(
  tx: Transaction,
  { botId, contactIds, sign }: { botId: string; contactIds: readonly string[]; sign: 1 | -1 },
): Promise<void> {
  await tx`
    insert into totals as kept (bot_id, platform, tagged_contacts)
    select ${botId}, platform, ${sign}::integer * count(*)
    from ${contactTable(tx, contactIds)}
    cross join lateral (
      select platform from contacts
      where bot_id = ${botId} and contact_id = requested.contact_id limit 1
    ) contact
    where (select 1 from contact_tags where bot_id = ${botId} and contact_id = requested.contact_id limit 1) is null
    group by platform
    on conflict (bot_id, platform) do update set tagged_contacts = kept.tagged_contacts + excluded.tagged_contacts`;
}

/** Recomputes the end of cover of each of the contacts. Idempotent. */
export async function refreshCoverEnds(
  tx: Transaction,
  { botId, contactIds }: { botId: string; contactIds: readonly string[] },
): Promise<void> {
  await tx`
    delete from tag_cover_ends using ${contactTable(tx, contactIds)}
    where tag_cover_ends.bot_id = ${botId} and tag_cover_ends.contact_id = requested.contact_id`;
  await tx`
    insert into tag_cover_ends (bot_id, contact_id, platform, ends_at)
    select ${botId}, requested.contact_id, contact.platform, cover.ends_at
    from ${contactTable(tx, contactIds)}
    cross join lateral (
      select max(ends_at) as ends_at, bool_and(ends_at is not null) as is_ending from contact_tags
      where bot_id = ${botId} and contact_id = requested.contact_id
    ) cover
    cross join lateral (
      select platform from contacts where bot_id = ${botId} and contact_id = requested.contact_id limit 1
    ) contact
    where cover.is_ending`;
}

/** Updates the counts after these assignments were deleted. */
export async function countRemoved(
  tx: Transaction,
  botId: string,
  removed: readonly { contactId: string }[],
): Promise<void> {
  if (removed.length === 0) return;
  const contactIds = [...new Set(removed.map(({ contactId }) => contactId))];
  await countUntagged(tx, { botId, contactIds, sign: -1 });
  await refreshCoverEnds(tx, { botId, contactIds });
}

/** Recounts the contacts with any assignment, expired or not, by platform. Omits platforms without any. */
export async function countTagged(sql: Queryable, botId: string): Promise<Map<PlatformName, number>> {
  const rows = await sql<{ platform: PlatformName; tagged: number }[]>`
    select platform, count(*)::integer as tagged from contacts
    where bot_id = ${botId} and merged_into is null and exists (
      select from contact_tags tag where tag.bot_id = ${botId} and tag.contact_id = contacts.contact_id)
    group by platform`;
  return new Map(rows.map(({ platform, tagged }) => [platform, tagged]));
}

/** A contact whose stored end of cover differs from that of its assignments; null: no end. */
export type CoverDifference = { contactId: string; kept: string | null; recounted: string | null };

/** Returns at most `limit` wrong ends of cover; empty: all are right. */
export async function wrongCoverEnds(
  sql: Queryable,
  botId: string,
  limit: number,
): Promise<CoverDifference[]> {
  return sql<CoverDifference[]>`
    select contact_id as "contactId", to_json(stored.ends_at) #>> '{}' as kept,
      to_json(recounted.ends_at) #>> '{}' as recounted
    from (select contact_id, ends_at, platform from tag_cover_ends where bot_id = ${botId}) stored
    full join (${recountedEnds(sql, botId)}) recounted using (contact_id)
    where (stored.ends_at, stored.platform) is distinct from (recounted.ends_at, recounted.platform)
    order by contact_id limit ${limit}`;
}

/** Recomputes all of the bot's ends of cover. The caller holds the bot's lock. Idempotent. */
export async function rewriteCoverEnds(tx: Transaction, botId: string): Promise<void> {
  await tx`delete from tag_cover_ends where bot_id = ${botId}`;
  await tx`
    insert into tag_cover_ends (bot_id, contact_id, platform, ends_at)
    select ${botId}, contact_id, platform, ends_at from (${recountedEnds(tx, botId)}) recounted`;
}

function recountedEnds(sql: Queryable, botId: string) {
  return sql`
    select contact_id, platform, max(ends_at) as ends_at
    from (select * from contact_tags where bot_id = ${botId}) tag
    join (select contact_id, platform from contacts where bot_id = ${botId}) contact using (contact_id)
    group by contact_id, platform having bool_and(ends_at is not null)`;
}
