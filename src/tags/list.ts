/**
 * The list of a bot's tags of one kind: searched, sorted, page by page, each with the number of contacts who carry it now.
 */
import type { Fragment, Queryable } from '../database/client.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { countCarriers } from './assignments.ts';
import { lastsAt } from './coverage.ts';
import type { TagKind } from './tag.ts';
import { type Tag, tagColumns, unknownTag } from './tags.ts';

export type TagOrder = 'updatedAt' | 'createdAt' | 'name' | 'carriers';
export type TagQuery = {
  botId: string;
  kind: TagKind;
  /** From 1. */
  page: number;
  perPage: number;
  /** Part of the name, in upper or lower case; empty: all. */
  search: string;
  order: TagOrder;
  descending: boolean;
  /** Only tags that a contact of the platform carries; null: all. */
  platform: PlatformName | null;
  /** True: only the platform's contacts count when tags are put in order by their contacts. */
  countByPlatform: boolean;
  /** Made at or after, and before (ms); null: no bound. */
  from: number | null;
  before: number | null;
  now: number;
};
export type TagList = {
  tags: (Tag & { carriers: number })[];
  /** Tags on all pages. */
  count: number;
  /** The life cycle of every automatic tag of the bot is active, and there is one. */
  allLifeCyclesActive: boolean;
};

/** A tag with its kind and times (ms), and how many carry it now. */
export type ShownTag = Tag & { kind: TagKind; createdAt: number; updatedAt: number; carriers: number };

/** Where a page of tags ended. `createdMicros` since 1970. */
export type TagPlace = { createdMicros: string; tagId: string };

type TagPage = {
  kind: TagKind | null;
  /** Part of the name, in upper or lower case; empty: all. */
  search: string;
  after: TagPlace | null;
  limit: number;
  now: number;
};

/** Tags newest first, at most `limit`, behind the one at `after`. */
export async function pageOfTags(
  sql: Queryable,
  botId: string,
  { kind, search, after, limit, now }: TagPage,
): Promise<(ShownTag & TagPlace)[]> {
  const where = sql`
    (${kind}::text is null or kind = ${kind}) and (${search} = '' or strpos(lower(name), lower(${search.normalize('NFC')})) > 0)
    ${
      after === null
        ? sql``
        : sql`and (created_at, tag_id)
            < ('epoch'::timestamptz + ${after.createdMicros}::bigint * interval '1 microsecond', ${after.tagId})`
    }`;
  return shownTags(sql, botId, { where, limit, now });
}

/** The tag of any kind. Throws TAG_NOT_FOUND. */
export async function showTag(
  sql: Queryable,
  botId: string,
  { tagId, now }: { tagId: string; now: number },
): Promise<ShownTag> {
  const [tag] = await shownTags(sql, botId, { where: sql`tag_id = ${tagId}`, limit: 1, now });
  if (!tag) throw unknownTag(tagId);
  const { createdMicros: _, ...shown } = tag;
  return shown;
}

async function shownTags(
  sql: Queryable,
  botId: string,
  { where, limit, now }: { where: Fragment; limit: number; now: number },
): Promise<(ShownTag & TagPlace)[]> {
  type Row = Omit<ShownTag & TagPlace, 'createdAt' | 'updatedAt' | 'carriers'> & {
    created: Date;
    updated: Date;
  };
  const rows = await sql<Row[]>`
    select ${tagColumns(sql)}, kind, created_at as created, updated_at as updated,
      (extract(epoch from created_at) * 1000000)::bigint::text as "createdMicros"
    from tags where bot_id = ${botId} and ${where}
    order by created_at desc, tag_id desc limit ${limit}`;
  const carriers = await countCarriers(sql, { botId, tagIds: rows.map(({ tagId }) => tagId), now });
  return rows.map(({ created, updated, ...tag }) => ({
    ...tag,
    createdAt: created.getTime(),
    updatedAt: updated.getTime(),
    carriers: carriers.get(tag.tagId) ?? 0,
  }));
}

/** One page of the tags; ties in order of their ids. */
export async function listTags(sql: Queryable, query: TagQuery): Promise<TagList> {
  const { botId, kind, page, perPage, descending, platform, now } = query;
  const direction = descending ? sql`desc` : sql`asc`;
  const [tags, [counted]] = await Promise.all([
    sql<Tag[]>`
      select ${tagColumns(sql)} from tags where ${isListed(sql, query)}
      order by ${orderOf(sql, query)} ${direction}, tag_id ${direction}
      limit ${perPage} offset ${(page - 1) * perPage}`,
    sql<{ count: number; active: boolean | null }[]>`
      select count(*) filter (where ${isListed(sql, query)})::integer as count,
        bool_and(life_cycle_active) filter (where kind = 'automatic') as active
      from tags where bot_id = ${botId} and kind in (${kind}, 'automatic')`,
  ]);
  const tagIds = tags.map(({ tagId }) => tagId);
  const carriers = await countCarriers(sql, { botId, tagIds, platform, now });
  return {
    tags: tags.map((tag) => ({ ...tag, carriers: carriers.get(tag.tagId) ?? 0 })),
    count: counted?.count ?? 0,
    allLifeCyclesActive: counted?.active ?? false,
  };
}

function isListed(sql: Queryable, { botId, kind, search, platform, from, before, now }: TagQuery) {
  return sql`tags.bot_id = ${botId} and kind = ${kind}
    and (${search} = '' or strpos(lower(name), lower(${search.normalize('NFC')})) > 0)
    and (${from}::float8 is null or created_at >= to_timestamp(${from}::float8 / 1000))
    and (${before}::float8 is null or created_at < to_timestamp(${before}::float8 / 1000))
    and (${platform}::text is null or exists (${assignmentsOf(sql, platform, now)}))`;
}

function orderOf(sql: Queryable, { order, platform, countByPlatform, now }: TagQuery) {
  switch (order) {
    case 'updatedAt':
      return sql`updated_at`;
    case 'createdAt':
      return sql`created_at`;
    case 'name':
      return sql`name`;
    case 'carriers':
      return sql`(select count(*) from (${assignmentsOf(sql, countByPlatform ? platform : null, now)}) carried)`;
  }
}

/** The assignments, of a row of tags, that last; only those of the platform's contacts when there is one. */
function assignmentsOf(sql: Queryable, platform: PlatformName | null, now: number) {
  return sql`
    select contact_tags.contact_id from contact_tags
    where contact_tags.bot_id = tags.bot_id and contact_tags.tag_id = tags.tag_id and ${lastsAt(sql, now)}
      and (${platform}::text is null or exists (
        select from contacts where contacts.bot_id = contact_tags.bot_id
          and contacts.contact_id = contact_tags.contact_id and contacts.platform = ${platform}))`;
}
