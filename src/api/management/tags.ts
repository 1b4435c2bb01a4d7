/**
 * Operations on tags of the three kinds, and on the contacts that carry them.
 */
import { lockBot } from '../../bots/bots.ts';
import type { Queryable, Transaction } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { checkMatch } from '../../http/entity-tag.ts';
import { assignTags, unassignTags } from '../../tags/assignments.ts';
import { pageOfTags, readTag, type TagDetails } from '../../tags/list.ts';
import type { TagKind } from '../../tags/tag.ts';
import { createTag, deleteTag, renameTag, setLifeCycle, switchLifeCycles, tagName } from '../../tags/tags.ts';
import { isoOf } from '../iso.ts';
import { findAllContacts } from './contacts.ts';
import { type Body, type Call, listBytesMax, type Operations, type Sources } from './operation.ts';
import { cursorPlace, isDigits, isId, readPage } from './paging.ts';

export function tagOperations({ sql, clock, random }: Sources) {
  const read = async (tx: Queryable, botId: string, tagId: string) =>
    toTag(await readTag(tx, botId, { tagId, now: clock() }));
  const change = (write: typeof assignTags) => ({
    bodyBytesMax: listBytesMax,
    answer: ({
      bot: { botId },
      params: { tagId },
      body,
    }: Pick<Call<'assignTag'>, 'bot' | 'params' | 'body'>) =>
      sql.begin(async (tx) => {
        await readTag(tx, botId, { tagId, now: clock() });
        const contactIds = await findAllContacts(tx, botId, body.contacts);
        const assignments = contactIds.map((contactId) => ({ contactId, tagId }));
        const changed = await write(tx, { botId, assignments }, { now: clock() });
        return { contacts: new Set(contactIds).size, changed };
      }),
  });
  /** Sets the life cycle if the call has one. */
  const setSentLifeCycle = async (
    tx: Transaction,
    { botId, kind, tagId }: { botId: string; kind: TagKind; tagId: string },
    lifeCycle: Body<'createTag'>['lifeCycle'],
  ): Promise<void> => {
    if (lifeCycle === undefined) return;
    if (kind !== 'automatic')
      throw new Refusal('INPUT_INVALID', `lifeCycle in the body is for automatic tags, not for ${kind} ones`);
    const { active, days } = lifeCycle;
    await setLifeCycle(tx, { botId, tagId, active, days }, { now: clock() });
  };
  return {
    async listTags({ bot: { botId }, query }) {
      const { kind = null, name: search = '' } = query;
      const { rows, nextCursor } = await readPage(query, toPlace, (page) =>
        pageOfTags(sql, botId, { kind, search, ...page, now: clock() }),
      );
      return { tags: rows.map(toTag), nextCursor };
    },
    createTag: ({ bot: { botId }, body: { kind, name, lifeCycle } }) =>
      sql.begin(async (tx) => {
        const tag = { botId, kind, name: tagName(name) };
        const tagId = await createTag(tx, tag, { now: clock(), random });
        await setSentLifeCycle(tx, { botId, kind, tagId }, lifeCycle);
        return read(tx, botId, tagId);
      }),
    getTag: ({ bot, params }) => read(sql, bot.botId, params.tagId),
    updateTag: ({ bot: { botId }, params: { tagId }, body: { name, lifeCycle }, headers }) =>
      sql.begin(async (tx) => {
        await lockBot(tx, botId);
        const tag = await read(tx, botId, tagId);
        checkMatch(headers, tag, 'The tag');
        const key = { botId, tagId, kind: tag.kind };
        if (name !== undefined) await renameTag(tx, { ...key, name: tagName(name) }, { now: clock() });
        await setSentLifeCycle(tx, key, lifeCycle);
        return read(tx, botId, tagId);
      }),
    deleteTag: ({ bot: { botId }, params: { tagId } }) =>
      sql.begin(async (tx) => {
        const { kind } = await readTag(tx, botId, { tagId, now: clock() });
        await deleteTag(tx, { botId, tagId, kind }, { now: clock() });
      }),
    async switchLifeCycles({ bot: { botId }, body: { active } }) {
      await sql.begin((tx) => switchLifeCycles(tx, { botId, active }, { now: clock() }));
    },
    assignTag: change(assignTags),
    unassignTag: change(unassignTags),
  } satisfies Partial<Operations>;
}

const toPlace = cursorPlace({ createdMicros: isDigits, tagId: isId });

function toTag({ tagId, kind, name, carriers, createdAt, updatedAt, ...tag }: TagDetails) {
  const lifeCycle = { active: tag.lifeCycleActive, days: tag.lifeCycleDays };
  return {
    ...{ tagId, kind, name, carriers },
    ...{ createdAt: isoOf(createdAt), updatedAt: isoOf(updatedAt) },
    lifeCycle: kind === 'automatic' ? lifeCycle : null,
    confidence: kind === 'automatic' ? tag.confidence : null,
  };
}
