/**
 * Deletion of expired assignments. No reader depends on when they are deleted (assignments.ts), but each expiry causes a webhook
 * message. The deletion and the message share one transaction. An expired row that still exists is therefore not yet reported,
 * and a killed process leaves it for the next check.
 */
import { lockBot } from '../bots/bots.ts';
import type { Fragment, Queryable, Sql, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { type Column, rowTable } from '../database/row-table.ts';
import { countRemoved } from './coverage.ts';
import { enqueueTagChanges, type TagChange } from './notify.ts';
import type { Assignment } from './tag.ts';

/** Rows of one transaction when very many assignments have expired. */
const pageRows = 10_000;

export const assignmentColumns = {
  contact_id: ['text', ({ contactId }) => contactId],
  tag_id: ['text', ({ tagId }) => tagId],
} satisfies Record<string, Column<Assignment>>;

/** Deletes the bot's expired assignments and reports them. It only keeps the tables small; no figure changes. Idempotent. */
export async function purgeExpired(sql: Sql, botId: string, { now }: { now: number }): Promise<void> {
  for (;;) {
    const assignments = await selectExpired(sql, botId, now);
    if (assignments.length === 0) return;
    await sql.begin(async (tx) => {
      await lockBot(tx, botId);
      const changes = await deleteExpired(tx, { botId, assignments }, { now });
      await countRemoved(tx, botId, changes);
      await enqueueTagChanges(tx, botId, changes, { now });
    });
  }
}

/** Purges the bots with a webhook endpoint. It costs one index look-up for each endpoint, so it may run often. Idempotent. */
export async function reportExpired(sql: Sql, { now }: { now: number }): Promise<void> {
  const callbacks = await sql<{ botId: string }[]>`
    select bot_id as "botId" from callbacks where disabled_at is null`;
  const bots = await sql<{ botId: string }[]>`
    select distinct bot_id as "botId" from contact_tags
    where bot_id = any (${textList(callbacks.map(({ botId }) => botId))}::text[]) and ${isExpiredAssignment(sql, { now })}`;
  for (const { botId } of bots) await purgeExpired(sql, botId, { now });
}

/** Deletes the expired ones of the assignments. Returns their changes at the time of expiry, oldest first. */
export async function deleteExpired(
  tx: Transaction,
  { botId, assignments }: { botId: string; assignments: readonly Assignment[] },
  { now }: { now: number },
): Promise<TagChange[]> {
  const removed = await tx<(Assignment & { endsAt: Date })[]>`
    delete from contact_tags using ${rowTable(tx, 'old', assignments, assignmentColumns)}
    where contact_tags.bot_id = ${botId} and contact_tags.contact_id = old.contact_id
      and contact_tags.tag_id = old.tag_id and contact_tags.ends_at <= ${new Date(now)}
    returning contact_tags.contact_id as "contactId", contact_tags.tag_id as "tagId", contact_tags.ends_at as "endsAt"`;
  return removed
    .map(({ contactId, tagId, endsAt }) => untaggedAt({ contactId, tagId }, endsAt.getTime()))
    .sort((a, b) => a.at - b.at);
}

/** The change of a contact that has lost a tag at an instant (ms). */
export function untaggedAt({ contactId, tagId }: Assignment, at: number): TagChange {
  return { type: 'contact.untagged', contactId, tagId, at };
}

async function selectExpired(sql: Queryable, botId: string, now: number): Promise<Assignment[]> {
  return sql<Assignment[]>`
    select contact_id as "contactId", tag_id as "tagId" from contact_tags
    where bot_id = ${botId} and ${isExpiredAssignment(sql, { now })} limit ${pageRows}`;
}

/** For queries over `contact_tags`: true for assignments that `purgeExpired` deletes. */
export function isExpiredAssignment(sql: Queryable, { now }: { now: number }): Fragment {
  return sql`ends_at <= ${new Date(now)}`;
}
