/**
 * Endings: assignments that are over. Nothing that is read depends on when they are deleted (tag-assignments.ts), but the
 * callback is to be told of each: whoever deletes one tells its end in the same transaction. So an ending that was not told is
 * an ended row that is still there, and a killed process leaves it for the next look.
 */
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { settleRemoved } from './coverage.ts';
import { type TagChange, tellTags } from './notify.ts';
import type { Assignment } from './tag.ts';

/** Rows that one transaction takes when very many have ended. */
const pageRows = 10_000;

/**
 * Deletes what has ended, and tells it. Changes nothing that is read: it only keeps the tables, and the look at what has
 * ended, small. Safe to repeat, at any time.
 */
export async function purgeEnded(sql: Sql, botId: string, { now }: { now: number }): Promise<void> {
  for (;;) {
    const ended = await selectEnded(sql, botId, now);
    if (ended.length === 0) return;
    await sql.begin(async (tx) => {
      await lockBot(tx, botId);
      const endings = await deleteEnded(tx, { botId, assignments: ended }, { now });
      await settleRemoved(tx, botId, endings);
      await tellTags(tx, botId, endings, { now });
    });
  }
}

/** Purges the bots that are told of it: a look by key for each callback, so it may be often. Safe to repeat. */
export async function tellEnded(sql: Sql, { now }: { now: number }): Promise<void> {
  const bots = await sql<{ botId: string }[]>`
    select bot_id as "botId" from callbacks
    where disabled_at is null and exists (
      select from contact_tags
      where contact_tags.bot_id = callbacks.bot_id and contact_tags.ends_at <= ${new Date(now)})`;
  for (const { botId } of bots) await purgeEnded(sql, botId, { now });
}

/** Deletes those of the assignments that have ended, and gives them as they are to be told: at their ends, oldest first. */
export async function deleteEnded(
  tx: Transaction,
  { botId, assignments }: { botId: string; assignments: readonly Assignment[] },
  { now }: { now: number },
): Promise<TagChange[]> {
  const removed = await tx<(Assignment & { endsAt: Date })[]>`
    delete from contact_tags
    using unnest(${textList(assignments.map(({ contactId }) => contactId))}::text[],
      ${textList(assignments.map(({ tagId }) => tagId))}::text[]) as old (contact_id, tag_id)
    where contact_tags.bot_id = ${botId} and contact_tags.contact_id = old.contact_id
      and contact_tags.tag_id = old.tag_id and contact_tags.ends_at <= ${new Date(now)}
    returning contact_tags.contact_id as "contactId", contact_tags.tag_id as "tagId", contact_tags.ends_at as "endsAt"`;
  return removed
    .map(({ contactId, tagId, endsAt }) => untagged({ contactId, tagId }, endsAt.getTime()))
    .sort((a, b) => a.at - b.at);
}

/** The change that takes a tag off. */
export function untagged({ contactId, tagId }: Assignment, at: number): TagChange {
  return { type: 'contact.untagged', contactId, tagId, at };
}

async function selectEnded(sql: Queryable, botId: string, now: number): Promise<Assignment[]> {
  return sql<Assignment[]>`
    select contact_id as "contactId", tag_id as "tagId" from contact_tags
    where bot_id = ${botId} and ends_at <= ${new Date(now)} limit ${pageRows}`;
}
