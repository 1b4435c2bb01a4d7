/**
 * Tags: words of the business, of three kinds, each with an id and a name that is its only one of the kind in its bot.
 *
 * Manual and personal tags stay on a contact until they are taken off. Automatic ones have a confidence, and a life cycle: when
 * that is active, an assignment ends so many days after it began (tag-assignments.ts).
 *
 * Every change holds the bot's lock, so that a name that is free stays so until it is taken.
 */
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { assignTags, endAfterDays, unassignAll, unassignTags } from './assignments.ts';
import type { Assignment, TagKind } from './tag.ts';

export type Tag = {
  tagId: string;
  name: string;
  /** 0 to 1; of automatic tags. */
  confidence: number;
  /** Of automatic tags: days after which an assignment ends when the life cycle is active. */
  lifeCycleDays: number;
  lifeCycleActive: boolean;
};
/** A tag of one kind in one bot. */
export type TagKey = { botId: string; kind: TagKind; tagId: string };
/** A contact and the name of a tag. */
export type ContactTag = { contactId: string; tag: string };

export const tagLengthMax = 100;
/** A hundred years, in days. */
export const lifeCycleDaysMax = 36_500;

/** The name of a tag as it is stored: composed (NFC), without spaces around it. Throws INPUT_INVALID unless it has 1 to 100 characters, none of them a control character. */
export function tagName(text: string): string {
  const name = text.normalize('NFC').trim();
  const length = [...name].length;
  if (length >= 1 && length <= tagLengthMax && !/[\p{Cc}\p{Cs}]/u.test(name)) return name;
  throw new Refusal(
    'INPUT_INVALID',
    `A tag has 1 to ${tagLengthMax} characters and no control characters, not ${JSON.stringify(text.slice(0, tagLengthMax + 1))}.`,
  );
}

/** Adds a tag, and gives its id; the name from `tagName`. Throws BOT_NOT_FOUND, TAG_EXISTS. */
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

/** The tag. Throws TAG_NOT_FOUND, also for one of another kind. */
export async function findTag(sql: Queryable, { botId, kind, tagId }: TagKey): Promise<Tag> {
  const [tag] = await sql<Tag[]>`
    select ${tagColumns(sql)} from tags where bot_id = ${botId} and tag_id = ${tagId} and kind = ${kind}`;
  if (!tag) throw unknownTag(tagId);
  return tag;
}

/** Gives a tag another name. Safe to repeat. Throws BOT_NOT_FOUND, TAG_NOT_FOUND, TAG_EXISTS. */
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

/** Deletes a tag and takes it off all its contacts. Throws BOT_NOT_FOUND, TAG_NOT_FOUND. */
export async function deleteTag(tx: Transaction, key: TagKey, { now }: { now: number }): Promise<void> {
  const { botId, tagId } = key;
  await lockBot(tx, botId);
  await findTag(tx, key);
  await unassignAll(tx, { botId, tagId }, { now });
  await tx`delete from tags where bot_id = ${botId} and tag_id = ${tagId}`;
}

export type LifeCycle = { active: boolean; days: number };

/**
 * Sets the life cycle (1 to 36,500 days) of an automatic tag. Assignments that last go by it from when they began; what has
 * ended stays so. Safe to repeat. Throws BOT_NOT_FOUND, TAG_NOT_FOUND.
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
  await endAfterDays(tx, { botId, tagId, days: active ? days : null }, { now });
}

/** Switches the life cycles of all automatic tags on or off, each with the days it has. Safe to repeat. Throws BOT_NOT_FOUND. */
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
 * Gives contacts tags of a kind by their names, adding the tags that are not there yet; gives the number of assignments that
 * began. Names from `tagName`. Safe to repeat. Throws BOT_NOT_FOUND.
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
    from unnest(${names.map(() => newId(random))}::text[], ${names}::text[]) as new (tag_id, name)
    on conflict (bot_id, kind, name) do nothing`;
  return assignTags(tx, { botId, assignments: await toAssignments(tx, { botId, kind, tags }) }, { now });
}

/**
 * Takes tags of a kind, by their names, off contacts; gives the number of those that were on. Safe to repeat. Throws
 * BOT_NOT_FOUND.
 */
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

/** Tags that are not there are left out. */
async function toAssignments(
  tx: Transaction,
  { botId, kind, tags }: { botId: string; kind: TagKind; tags: readonly ContactTag[] },
): Promise<Assignment[]> {
  const rows = await tx<{ tagId: string; name: string }[]>`
    select tag_id as "tagId", name from tags
    where bot_id = ${botId} and kind = ${kind} and name = any(${tags.map(({ tag }) => tag)}::text[])`;
  const idOf = new Map(rows.map(({ tagId, name }) => [name, tagId]));
  return tags.flatMap(({ contactId, tag }) => {
    const tagId = idOf.get(tag);
    return tagId === undefined ? [] : [{ contactId, tagId }];
  });
}

async function checkFree(
  tx: Transaction,
  { botId, kind, name }: { botId: string; kind: TagKind; name: string },
): Promise<void> {
  const taken = await tx`
    select from tags where bot_id = ${botId} and kind = ${kind} and name = ${name}`;
  if (taken.length > 0) throw new Refusal('TAG_EXISTS', `The bot has a ${kind} tag of that name already.`);
}

/** The refusal of an id that is no tag's. */
export function unknownTag(tagId: string): Refusal {
  return new Refusal('TAG_NOT_FOUND', `The bot has no such tag: ${JSON.stringify(tagId)}.`);
}
