/**
 * Tag cover: how many contacts of each platform have at least one tag that has not ended (figures.md, section 5).
 *
 * Assignments end by themselves, so no kept number can be right at every moment. What is kept does not depend on the time:
 *
 *     totals.tagged_contacts   contacts with any assignment, ended or not
 *     tag_cover_ends           of these the ones whose assignments all end, with the moment of the last
 *
 * and a reader takes the second, as far as its moment is over, off the first: a look into an index that is empty as long as
 * no tag ends. Whoever changes assignments holds the bot's lock, counts, and refreshes both.
 */
import type { Queryable, Transaction } from '../database/client.ts';
import type { PlatformName } from '../platforms/platform.ts';

/** For queries: the contacts that are tagged at `now` (ms), from a row of `totals`. */
export function taggedAt(sql: Queryable, now: number) {
  return sql`(totals.tagged_contacts - (
    select count(*) from tag_cover_ends ended
    where ended.bot_id = totals.bot_id and ended.platform = totals.platform and ended.ends_at <= ${new Date(now)}))`;
}

/** For queries: true while an assignment, a row of contact_tags under the given name, lasts at `now` (ms). */
export function lastsAt(sql: Queryable, now: number, alias = 'contact_tags') {
  const endsAt = sql(`${alias}.ends_at`);
  return sql`(${endsAt} is null or ${endsAt} > ${new Date(now)})`;
}

/** Adds to the totals (or takes off) those of the contacts that have no assignment at this moment of the transaction. */
export async function countUntagged(
  tx: Transaction,
  { botId, contactIds, sign }: { botId: string; contactIds: readonly string[]; sign: 1 | -1 },
): Promise<void> {
  await tx`
    insert into totals as kept (bot_id, platform, tagged_contacts)
    select ${botId}, platform, ${sign}::integer * count(*)
    from unnest(${contactIds as string[]}::text[]) as asked (contact_id)
    cross join lateral (
      select platform from contacts
      where bot_id = ${botId} and contact_id = asked.contact_id limit 1
    ) contact
    where (select 1 from contact_tags where bot_id = ${botId} and contact_id = asked.contact_id limit 1) is null
    group by platform
    on conflict (bot_id, platform) do update set tagged_contacts = kept.tagged_contacts + excluded.tagged_contacts`;
}

/** Sets anew when the cover of each of the contacts ends. Safe to repeat. */
export async function refreshCoverEnds(
  tx: Transaction,
  { botId, contactIds }: { botId: string; contactIds: readonly string[] },
): Promise<void> {
  await tx`
    delete from tag_cover_ends using unnest(${contactIds as string[]}::text[]) as old (contact_id)
    where tag_cover_ends.bot_id = ${botId} and tag_cover_ends.contact_id = old.contact_id`;
  await tx`
    insert into tag_cover_ends (bot_id, contact_id, platform, ends_at)
    select ${botId}, asked.contact_id, contact.platform, kept.ends_at
    from unnest(${contactIds as string[]}::text[]) as asked (contact_id)
    cross join lateral (
      select max(ends_at) as ends_at, bool_and(ends_at is not null) as is_ending from contact_tags
      where bot_id = ${botId} and contact_id = asked.contact_id
    ) kept
    cross join lateral (
      select platform from contacts where bot_id = ${botId} and contact_id = asked.contact_id limit 1
    ) contact
    where kept.is_ending`;
}

/** Counts that the assignments of these rows were deleted. */
export async function settleRemoved(
  tx: Transaction,
  botId: string,
  removed: readonly { contactId: string }[],
): Promise<void> {
  if (removed.length === 0) return;
  const contactIds = [...new Set(removed.map(({ contactId }) => contactId))];
  await countUntagged(tx, { botId, contactIds, sign: -1 });
  await refreshCoverEnds(tx, { botId, contactIds });
}

/** Contacts with any assignment, ended or not, by platform, counted anew; platforms without any are left out. */
export async function countTagged(sql: Queryable, botId: string): Promise<Map<PlatformName, number>> {
  const rows = await sql<{ platform: PlatformName; tagged: number }[]>`
    select platform, count(*)::integer as tagged from contacts
    where bot_id = ${botId} and merged_into is null and exists (
      select from contact_tags tag where tag.bot_id = ${botId} and tag.contact_id = contacts.contact_id)
    group by platform`;
  return new Map(rows.map(({ platform, tagged }) => [platform, tagged]));
}

/** A contact whose kept end of cover is not what its assignments say; null: none. */
export type CoverDifference = { contactId: string; kept: string | null; recounted: string | null };

/** The kept ends of cover that are wrong, at most `limit`; empty: all are right. */
export async function wrongCoverEnds(
  sql: Queryable,
  botId: string,
  limit: number,
): Promise<CoverDifference[]> {
  return sql<CoverDifference[]>`
    select contact_id as "contactId", to_json(kept.ends_at) #>> '{}' as kept,
      to_json(recounted.ends_at) #>> '{}' as recounted
    from (select contact_id, ends_at, platform from tag_cover_ends where bot_id = ${botId}) kept
    full join (${recountedEnds(sql, botId)}) recounted using (contact_id)
    where (kept.ends_at, kept.platform) is distinct from (recounted.ends_at, recounted.platform)
    order by contact_id limit ${limit}`;
}

/** Writes all of the bot's ends of cover anew. The caller holds the bot's lock. Safe to repeat. */
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
