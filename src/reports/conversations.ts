/**
 * Conversations one by one, by the time of their first message, newest first, page by page.
 */
import type { Queryable } from '../database/client.ts';
import type { PlatformName } from '../platforms/platform.ts';

/** A run with at least one inbound message (figures.md, section 7). Times in ms. */
export type Conversation = {
  contactId: string;
  platform: PlatformName;
  firstAt: number;
  lastAt: number;
  inbound: number;
  outbound: number;
};

/** Where a page ended: the next one begins behind this conversation. */
export type ConversationPlace = Pick<Conversation, 'firstAt' | 'contactId'>;

/** Those whose first message lies at `from` or later and before `until` (ms); null: of any platform, of any contact. */
export type ConversationRange = {
  from: number;
  until: number;
  platform: PlatformName | null;
  contactId: string | null;
};

/**
 * A page of at most `limit` conversations. A place stays good when conversations come, grow or are joined: none is told twice,
 * and none that was there all the time is left out.
 */
export async function pageOfConversations(
  sql: Queryable,
  botId: string,
  {
    from,
    until,
    platform,
    contactId,
    after,
    limit,
  }: ConversationRange & { after: ConversationPlace | null; limit: number },
): Promise<Conversation[]> {
  // The way into the index: of the place behind it the planner only makes a filter (deep in 500,000: 44 ms instead of 1).
  const end = after === null ? until : Math.min(until, after.firstAt + 1);
  const rows = await sql<(Omit<Conversation, 'firstAt' | 'lastAt'> & { firstAt: Date; lastAt: Date })[]>`
    select contact_id as "contactId", platform, first_at as "firstAt", last_at as "lastAt", inbound, outbound
    from conversations
    where bot_id = ${botId} and inbound > 0
      and ${began(sql)} >= ${utc(sql, from)} and ${began(sql)} < ${utc(sql, end)}
      ${after === null ? sql`` : sql`and (${began(sql)}, contact_id) < (${utc(sql, after.firstAt)}, ${after.contactId})`}
      ${platform === null ? sql`` : sql`and platform = ${platform}`}
      ${contactId === null ? sql`` : sql`and contact_id = ${survivorOf(sql, botId, contactId)}`}
    order by ${began(sql)} desc, contact_id desc limit ${limit}`;
  return rows.map((row) => ({ ...row, firstAt: row.firstAt.getTime(), lastAt: row.lastAt.getTime() }));
}

// As in the index: sql/0010-admin-tokens.sql.
function began(sql: Queryable) {
  return sql`(first_at at time zone 'UTC')`;
}

function utc(sql: Queryable, at: number) {
  return sql`${new Date(at)}::timestamptz at time zone 'UTC'`;
}

/** The contact that an id stands for now. */
function survivorOf(sql: Queryable, botId: string, contactId: string) {
  return sql`(
    select coalesce(merged_into, contact_id) from contacts
    where bot_id = ${botId} and contact_id = ${contactId})`;
}
