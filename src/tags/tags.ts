/**
 * Tags of three kinds. A tag has an id and a name; names are unique within a bot and kind.
 *
 * Manual and personal tags stay on a contact until they are removed. Automatic tags have a confidence and a life cycle. While the
 * life cycle is active, an assignment expires a number of days after it began (assignments.ts).
 *
 * Every change holds the bot's lock, so that a free name stays free until the tag is stored.
 */
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { invalidInput, Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { assignTags, setExpiry, unassignAll, unassignTags } from './assignments.ts';
import { type NewAssignment, type TagKind, unknownTag } from './tag.ts';

export type Tag = {
  tagId: string;
  name: string;
  /** 0 to 1. Only for automatic tags. */
  confidence: number;
  /** Days after which an assignment expires while the life cycle is active. Only for automatic tags. */
  lifeCycleDays: number;
  lifeCycleActive: boolean;
};
/** A tag of one kind in one bot. */
export type TagKey = { botId: string; kind: TagKind; tagId: string };
/** A contact and the name of a tag. The assignment begins at `beganAt` (ms); left out: now. */
export type ContactTag = { contactId: string; tag: string; beganAt?: number };

export const tagLengthMax = 100;
/** A hundred years, in days. */
export const lifeCycleDaysMax = 36_500;

/**
 * Returns the name to store: in NFC, without spaces around it. Throws INPUT_INVALID unless it has 1 to 100 characters and
 * no control characters.
 */
export function tagName(text: string): string {
  const name = text.normalize('NFC').trim();
  const length = [...name].length;
  if (length >= 1 && length <= tagLengthMax && !/[\p{Cc}\p{Cs}]/u.test(name)) return name;
  throw invalidInput(
    `A tag has 1 to ${tagLengthMax} characters and no control characters, not ${JSON.stringify(text.slice(0, tagLengthMax + 1))}.`,
  );
}

/** Adds a tag and returns its id; the name comes from `tagName`. Throws BOT_NOT_FOUND, TAG_EXISTS. */
export async function createTag(
  tx: Transaction,
  { botId, kind, name }: { botId: string; kind: TagKind; name: string },
  { now, random }: { now: number; random: Random },
): Promise<string> {
  await lockBot(tx, botId);
  await checkFree(tx, { botId, kind, name });
  const tagId = newId(random);
  await tx`
    insert into tags (bot_id, tag_id, kind, name, created_at, updated_at)
    values (${botId}, ${tagId}, ${kind}, ${name}, ${new Date(now)}, ${new Date(now)})`;
  return tagId;
}

/** Throws TAG_NOT_FOUND, also for a tag of another kind. */
export async function findTag(sql: Queryable, { botId, kind, tagId }: TagKey): Promise<Tag> {
  const [tag] = await sql<Tag[]>`
    select ${tagColumns(sql)} from tags where bot_id = ${botId} and tag_id = ${tagId} and kind = ${kind}`;
  if (!tag) throw unknownTag(tagId);
  return tag;
}

/** The id of the tag that is named by its id, or by the one it had at MantaGo. An unknown id is returned unchanged. */
export async function currentTagId(sql: Queryable, { botId, kind, tagId }: TagKey): Promise<string> {
  const [tag] = await sql<{ tagId: string }[]>`
    select tag_id as "tagId" from tags
    where bot_id = ${botId} and kind = ${kind} and (tag_id = ${tagId} or former_id = ${tagId})
    order by tag_id <> ${tagId} limit 1`;
  return tag?.tagId ?? tagId;
}

/** Idempotent. Throws BOT_NOT_FOUND, TAG_NOT_FOUND, TAG_EXISTS. */
export async function renameTag(
  tx: Transaction,
  { botId, kind, tagId, name }: TagKey & { name: string },
  { now }: { now: number },
): Promise<void> {
  await lockBot(tx, botId);
  const tag = await findTag(tx, { botId, kind, tagId });
  if (tag.name === name) return;
  await checkFree(tx, { botId, kind, name });
  await tx`
    update tags set name = ${name}, updated_at = ${new Date(now)} where bot_id = ${botId} and tag_id = ${tagId}`;
}

/** Deletes a tag and all its assignments. Throws BOT_NOT_FOUND, TAG_NOT_FOUND. */
export async function deleteTag(tx: Transaction, key: TagKey, { now }: { now: number }): Promise<void> {
  const { botId, tagId } = key;
  await lockBot(tx, botId);
  await findTag(tx, key);
  await unassignAll(tx, { botId, tagId }, { now });
  await tx`delete from tags where bot_id = ${botId} and tag_id = ${tagId}`;
}

export type LifeCycle = { active: boolean; days: number };

/**
 * Sets the life cycle (1 to 36,500 days) of an automatic tag. Active assignments follow it from their beginning; expired ones stay
 * expired. Idempotent. Throws BOT_NOT_FOUND, TAG_NOT_FOUND.
 */
export async function setLifeCycle(
  tx: Transaction,
  { botId, tagId, active, days }: { botId: string; tagId: string } & LifeCycle,
  { now }: { now: number },
): Promise<void> {
  await lockBot(tx, botId);
  await findTag(tx, { botId, kind: 'automatic', tagId });
  await tx`
    update tags set life_cycle_active = ${active}, life_cycle_days = ${days}, updated_at = ${new Date(now)}
    where bot_id = ${botId} and tag_id = ${tagId}`;
  await setExpiry(tx, { botId, tagId, days: active ? days : null }, { now });
}

/** Switches the life cycles of all automatic tags on or off; their days stay. Idempotent. Throws BOT_NOT_FOUND. */
export async function switchLifeCycles(
  tx: Transaction,
  { botId, active }: { botId: string; active: boolean },
  { now }: { now: number },
): Promise<void> {
  await lockBot(tx, botId);
  const switched = await tx<{ tagId: string; days: number }[]>`
    select tag_id as "tagId", life_cycle_days as days from tags
    where bot_id = ${botId} and kind = 'automatic' and life_cycle_active <> ${active}`;
  for (const { tagId, days } of switched) await setLifeCycle(tx, { botId, tagId, active, days }, { now });
}

/**
 * Assigns tags of a kind by their names, which come from `tagName`, and creates missing tags. Returns the number of new
 * assignments. Idempotent. Throws BOT_NOT_FOUND.
 */
export async function addTags(
  tx: Transaction,
  { botId, kind = 'manual', tags }: { botId: string; kind?: TagKind; tags: readonly ContactTag[] },
  { now, random }: { now: number; random: Random },
): Promise<number> {
  await lockBot(tx, botId);
  const names = [...new Set(tags.map(({ tag }) => tag))];
  await tx`
    insert into tags (bot_id, tag_id, kind, name, created_at, updated_at)
    select ${botId}, tag_id, ${kind}, name, ${new Date(now)}, ${new Date(now)}
    from ${rowTable(tx, 'new', names, { tag_id: ['text', () => newId(random)], name: ['text', (name) => name] })}
    on conflict (bot_id, kind, name) do nothing`;
  return assignTags(tx, { botId, assignments: await toAssignments(tx, { botId, kind, tags }) }, { now });
}

/** Removes tags of a kind by their names. Returns the number of removed active assignments. Idempotent. Throws BOT_NOT_FOUND. */
export async function removeTags(
  tx: Transaction,
  { botId, kind = 'manual', tags }: { botId: string; kind?: TagKind; tags: readonly ContactTag[] },
  { now }: { now: number },
): Promise<number> {
  return unassignTags(tx, { botId, assignments: await toAssignments(tx, { botId, kind, tags }) }, { now });
}

/** For queries: the columns of a Tag. */
export function tagColumns(sql: Queryable) {
  return sql`tag_id as "tagId", name, confidence, life_cycle_days as "lifeCycleDays",
    life_cycle_active as "lifeCycleActive"`;
}

/** Omits tags that do not exist. */
async function toAssignments(
  tx: Transaction,
  { botId, kind, tags }: { botId: string; kind: TagKind; tags: readonly ContactTag[] },
): Promise<NewAssignment[]> {
  const rows = await tx<{ tagId: string; name: string }[]>`
    select tag_id as "tagId", name from tags
    where bot_id = ${botId} and kind = ${kind} and name = any(${tags.map(({ tag }) => tag)}::text[])`;
  const idOf = new Map(rows.map(({ tagId, name }) => [name, tagId]));
  return tags.flatMap(({ tag, ...one }) => {
    const tagId = idOf.get(tag);
    return tagId === undefined ? [] : [{ ...one, tagId }];
  });
}

async function checkFree(
  tx: Transaction,
  { botId, kind, name }: { botId: string; kind: TagKind; name: string },
): Promise<void> {
  const sameName = await tx`
    select from tags where bot_id = ${botId} and kind = ${kind} and name = ${name}`;
  if (sameName.length > 0) throw new Refusal('TAG_EXISTS', `Another ${kind} tag already has that name.`);
}
