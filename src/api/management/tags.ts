/**
 * Operations on tags of the three kinds, and on who carries them.
 */
import { lockBot } from '../../bots/bots.ts';
import type { Queryable, Transaction } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { isObject, type JsonObject, textOf } from '../../json.ts';
import { assignTags, unassignTags } from '../../tags/assignments.ts';
import { pageOfTags, type ShownTag, showTag, type TagPlace } from '../../tags/list.ts';
import { type TagKind, tagKinds } from '../../tags/tag.ts';
import { createTag, deleteTag, renameTag, setLifeCycle, switchLifeCycles, tagName } from '../../tags/tags.ts';
import {
  checkMatch,
  findAllContacts,
  isoOf,
  limitOf,
  type ManagementCall,
  type ManagementOperations,
  type ManagementSources,
  pageOf,
  readCursor,
  textsOf,
} from './call.ts';

export function tagOperations({ sql, clock, random }: ManagementSources): ManagementOperations {
  const read = async (tx: Queryable, botId: string, tagId: string) =>
    toTag(await showTag(tx, botId, { tagId, now: clock() }));
  const change = (write: typeof assignTags) => (call: ManagementCall) =>
    sql.begin(async (tx) => {
      const { botId } = call.bot;
      const tagId = tagIdOf(call);
      await showTag(tx, botId, { tagId, now: clock() });
      const contactIds = await findAllContacts(tx, botId, textsOf(call.body.contacts) ?? []);
      const assignments = contactIds.map((contactId) => ({ contactId, tagId }));
      return {
        contacts: new Set(contactIds).size,
        changed: await write(tx, { botId, assignments }, { now: clock() }),
      };
    });
  return {
    async listTags({ bot: { botId }, query }) {
      const limit = limitOf(query);
      const tags = await pageOfTags(sql, botId, {
        kind: kindOf(query.kind),
        search: textOf(query.name) ?? '',
        after: readCursor(query, toPlace),
        limit: limit + 1,
        now: clock(),
      });
      const { rows, nextCursor } = pageOf(tags, limit, ({ createdMicros, tagId }) => ({
        createdMicros,
        tagId,
      }));
      return { tags: rows.map(toTag), nextCursor };
    },
    createTag: ({ bot: { botId }, body }) =>
      sql.begin(async (tx) => {
        const kind = kindOf(body.kind);
        if (kind === null) throw new Error('the contract let a kind of tags through that there is not');
        const name = tagName(String(body.name));
        const tagId = await createTag(tx, { botId, kind, name }, { now: clock(), random });
        await live(tx, { botId, kind, tagId }, body.lifeCycle);
        return read(tx, botId, tagId);
      }),
    getTag: (call) => read(sql, call.bot.botId, tagIdOf(call)),
    updateTag: (call) =>
      sql.begin(async (tx) => {
        const { bot, body } = call;
        const key = { botId: bot.botId, tagId: tagIdOf(call) };
        await lockBot(tx, key.botId);
        const tag = await read(tx, key.botId, key.tagId);
        checkMatch(call, tag, 'The tag');
        const { kind } = tag;
        if (body.name !== undefined) {
          const name = tagName(String(body.name));
          await renameTag(tx, { ...key, kind, name }, { now: clock() });
        }
        await live(tx, { ...key, kind }, body.lifeCycle);
        return read(tx, key.botId, key.tagId);
      }),
    deleteTag: (call) =>
      sql.begin(async (tx) => {
        const key = { botId: call.bot.botId, tagId: tagIdOf(call) };
        const { kind } = await showTag(tx, key.botId, { ...key, now: clock() });
        await deleteTag(tx, { ...key, kind }, { now: clock() });
      }),
    async switchLifeCycles({ bot: { botId }, body }) {
      const active = body.active === true;
      await sql.begin((tx) => switchLifeCycles(tx, { botId, active }, { now: clock() }));
    },
    assignTag: change(assignTags),
    unassignTag: change(unassignTags),
  };

  /** Sets the life cycle where one was sent. */
  async function live(
    tx: Transaction,
    { botId, kind, tagId }: { botId: string; kind: TagKind; tagId: string },
    lifeCycle: unknown,
  ): Promise<void> {
    if (!isObject(lifeCycle)) return;
    if (kind !== 'automatic')
      throw new Refusal('INPUT_INVALID', `lifeCycle in the body is for automatic tags, not for ${kind} ones`);
    const cycle = { active: lifeCycle.active === true, days: Number(lifeCycle.days) };
    await setLifeCycle(tx, { botId, tagId, ...cycle }, { now: clock() });
  }
}

function tagIdOf({ params }: ManagementCall): string {
  return String(params.tagId);
}

function kindOf(value: unknown): TagKind | null {
  return tagKinds.find((kind) => kind === value) ?? null;
}

function toPlace({ createdMicros, tagId }: JsonObject): TagPlace | null {
  const isPlace =
    typeof createdMicros === 'string' &&
    /^\d{1,16}$/.test(createdMicros) &&
    typeof tagId === 'string' &&
    /^[A-Za-z]{1,64}$/.test(tagId);
  return isPlace ? { createdMicros, tagId } : null;
}

function toTag({ tagId, kind, name, carriers, createdAt, updatedAt, ...tag }: ShownTag) {
  const lifeCycle = { active: tag.lifeCycleActive, days: tag.lifeCycleDays };
  return {
    ...{ tagId, kind, name, carriers },
    ...{ createdAt: isoOf(createdAt), updatedAt: isoOf(updatedAt) },
    lifeCycle: kind === 'automatic' ? lifeCycle : null,
    confidence: kind === 'automatic' ? tag.confidence : null,
  };
}
