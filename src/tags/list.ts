/**
 * Lists of a bot's tags: searched, sorted and paged, each tag with its current number of contacts.
 */
import type { Fragment, Queryable } from '../database/client.ts';
import { instantOf, microsOf, msOf } from '../database/instants.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { countCarriers } from './assignments.ts';
import { isActiveAt } from './coverage.ts';
import { type TagKind, unknownTag } from './tag.ts';
import { type Tag, tagColumns } from './tags.ts';

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
  /** Only tags of a contact of the platform; null: all. */
  platform: PlatformName | null;
  /** True: the order `carriers` counts the platform's contacts only. */
  countByPlatform: boolean;
  /** Created from `from` to before `before` (ms); null: no bound. */
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

/** A tag with its kind and times (ms), and its current number of contacts. */
export type TagDetails = Tag & { kind: TagKind; createdAt: number; updatedAt: number; carriers: number };

/** The last tag of a page. `createdMicros` since 1970. */
export type TagCursor = { createdMicros: string; tagId: string };

type TagPage = {
  kind: TagKind | null;
  /** Part of the name, in upper or lower case; empty: all. */
  search: string;
  after: TagCursor | null;
  limit: number;
  now: number;
};

/** Returns at most `limit` tags after the cursor, newest first. */
export async function pageOfTags(
  sql: Queryable,
  botId: string,
  { kind, search, after, limit, now }: TagPage,
): Promise<(TagDetails & TagCursor)[]> {
  const where = sql`
    (${kind}::text is null or kind = ${kind}) and (${search} = '' or strpos(lower(name), lower(${search.normalize('NFC')})) > 0)
    ${after === null ? sql`` : sql`and (created_at, tag_id) < (${instantOf(sql, after.createdMicros)}, ${after.tagId})`}`;
  return selectTags(sql, botId, { where, limit, now });
}

/** Returns a tag of any kind. Throws TAG_NOT_FOUND. */
export async function readTag(
  sql: Queryable,
  botId: string,
  { tagId, now }: { tagId: string; now: number },
): Promise<TagDetails> {
  const [tag] = await selectTags(sql, botId, { where: sql`tag_id = ${tagId}`, limit: 1, now });
  if (!tag) throw unknownTag(tagId);
  const { createdMicros: _, ...details } = tag;
  return details;
}

async function selectTags(
  sql: Queryable,
  botId: string,
  { where, limit, now }: { where: Fragment; limit: number; now: number },
): Promise<(TagDetails & TagCursor)[]> {
  const rows = await sql<Omit<TagDetails & TagCursor, 'carriers'>[]>`
    select ${tagColumns(sql)}, kind, ${msOf(sql, 'created_at')} as "createdAt", ${msOf(sql, 'updated_at')} as "updatedAt",
      ${microsOf(sql, 'created_at')} as "createdMicros"
    from tags where bot_id = ${botId} and ${where}
    order by created_at desc, tag_id desc limit ${limit}`;
  const carriers = await countCarriers(sql, { botId, tagIds: rows.map(({ tagId }) => tagId), now });
  return rows.map((tag) => ({ ...tag, carriers: carriers.get(tag.tagId) ?? 0 }));
}

/** Returns one page of tags of a kind; ties are in order of their ids. */
export async function listTags(sql: Queryable, query: TagQuery): Promise<TagList> {
  const { botId, kind, page, perPage, descending, platform, now } = query;
  const direction = descending ? sql`desc` : sql`asc`;
  const [tags, [counts]] = await Promise.all([
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
    count: counts?.count ?? 0,
    allLifeCyclesActive: counts?.active ?? false,
  };
}

function isListed(sql: Queryable, { botId, kind, search, platform, from, before, now }: TagQuery) {
  return sql`tags.bot_id = ${botId} and kind = ${kind}
    and (${search} = '' or strpos(lower(name), lower(${search.normalize('NFC')})) > 0)
    and (${from}::float8 is null or created_at >= to_timestamp(${from}::float8 / 1000))
    and (${before}::float8 is null or created_at < to_timestamp(${before}::float8 / 1000))
    and (${platform}::text is null or exists (${assignmentsOf(sql, botId, platform, now)}))`;
}

function orderOf(sql: Queryable, { botId, order, platform, countByPlatform, now }: TagQuery) {
  switch (order) {
    case 'updatedAt':
      return sql`updated_at`;
    case 'createdAt':
      return sql`created_at`;
    case 'name':
      return sql`name`;
    case 'carriers':
      return sql`(select count(*) from (${assignmentsOf(sql, botId, countByPlatform ? platform : null, now)}) carried)`;
  }
}

/** The active assignments of the bot's row of `tags`; of the platform's contacts only, unless it is null. */
function assignmentsOf(sql: Queryable, botId: string, platform: PlatformName | null, now: number) {
  return sql`
    select contact_tags.contact_id from contact_tags
    where contact_tags.bot_id = ${botId} and contact_tags.tag_id = tags.tag_id and ${isActiveAt(sql, now)}
      and (${platform}::text is null or exists (
        select from contacts where contacts.bot_id = ${botId}
          and contacts.contact_id = contact_tags.contact_id and contacts.platform = ${platform}))`;
}
