/**
 * MantaGo's calls about tags: manual ones (client tags), personal and automatic ones. Messages are the contract's, to the
 * letter. Where it has none, docs/mantago.md has one after its siblings.
 */
import { findBot } from '../../bots/bots.ts';
import type { Transaction } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { assignTags, countCarriers, unassignTags } from '../../tags/assignments.ts';
import { listTags, type TagList, type TagOrder, type TagQuery } from '../../tags/list.ts';
import type { Assignment, TagKind } from '../../tags/tag.ts';
import {
  createTag,
  currentTagId,
  deleteTag,
  findTag,
  lifeCycleDaysMax,
  renameTag,
  setLifeCycle,
  switchLifeCycles,
  type Tag,
  type TagKey,
  tagName,
} from '../../tags/tags.ts';
import { addDays, dayStart, isDay } from '../../time.ts';
import { type ClientCall, clientProblem, findClient } from './clients.ts';
import { type Operations, proven, type Sent, type Sources, success } from './operation.ts';

export function tagOperations(sources: Sources) {
  return { ...manualOperations(sources), ...personalOperations(sources), ...automaticOperations(sources) };
}

function manualOperations(sources: Sources) {
  const { sql } = sources;
  const calls = new TagCalls(sources, 'manual', 'tagId');
  const toClientTag = (botId: string, { tagId, name }: Tag) => ({ id: tagId, name, botId });
  return {
    createClientTag: calls.create('Create client tag successfully'),
    getClientTag: calls.read(async (key) => ({
      clientTag: toClientTag(key.botId, await findTag(sql, key)),
    })),
    updateClientTag: calls.rename('Update client tag successfully'),
    deleteClientTag: calls.delete('Delete client tag successfully'),
    createClientTagMapping: calls.change(assignTags, 'Create client tag mapping successfully'),
    deleteClientTagMapping: calls.change(unassignTags, 'Delete client tag mapping successfully'),
    listClientTags: calls.list((botId, { tags }) => ({
      clientTagList: tags.map((tag) => toClientTag(botId, tag)),
    })),
  } satisfies Partial<Operations>;
}

function personalOperations(sources: Sources) {
  const { sql, clock } = sources;
  const calls = new TagCalls(sources, 'personal', 'tagId');
  return {
    createPersonalTag: calls.create('Create personal tag successfully'),
    getPersonalTag: calls.read(async (key) => {
      const { tagId, name } = await findTag(sql, key);
      const carriers = await countCarriers(sql, { botId: key.botId, tagIds: [tagId], now: clock() });
      return { personalTag: { id: tagId, name, count: carriers.get(tagId) ?? 0 } };
    }),
    updatePersonalTag: calls.rename('Update personal tag successfully'),
    deletePersonalTag: calls.delete(completed),
    createPersonalTagMapping: calls.change(assignTags, 'Create personal tag mapping successfully'),
    deletePersonalTagMapping: calls.change(unassignTags, 'Delete personal tag mapping successfully'),
    listPersonalTags: calls.list((_, { tags }) => ({
      listPersonalTags: tags.map(({ tagId, name, carriers }) => ({ id: tagId, name, count: carriers })),
    })),
  } satisfies Partial<Operations>;
}

function automaticOperations(sources: Sources) {
  const { sql, clock } = sources;
  const calls = new TagCalls(sources, 'automatic', 'autoTagId');
  return {
    createAutoTag: calls.create('Create auto tag successfully'),
    getAutoTag: calls.read(async (key) => ({ autoTag: toAutoTag(await findTag(sql, key)) })),
    updateAutoTag: calls.rename('Update auto tag successfully'),
    deleteAutoTag: calls.delete('Delete auto tag successfully'),
    createAutoTagMapping: calls.change(assignTags, 'Create auto tag mapping successfully'),
    deleteAutoTagMapping: calls.change(unassignTags, 'Delete auto tag mapping successfully'),
    listAutoTags: calls.list((_, { tags, allLifeCyclesActive }) => ({
      autoTagList: tags.map(toAutoTag),
      // Every automatic tag has a confidence.
      isAllActiveConfidence: true,
      isAllActiveLifeCycle: allLifeCyclesActive,
    })),
    updateAutoTagLifeCycle: proven(sources, {
      problemOf: ({ body: { lifeCycle } }) =>
        lifeCycle <= lifeCycleDaysMax
          ? null
          : `lifeCycle in the body must be at most ${lifeCycleDaysMax} days`,
      async answer(botId, { body, params }) {
        const key = { botId, kind: 'automatic' as const, tagId: params.autoTagId };
        const change = {
          botId,
          tagId: await currentTagId(sql, key),
          active: body.isActive,
          days: body.lifeCycle,
        };
        await sql.begin((tx) => setLifeCycle(tx, change, { now: clock() }));
        return success('Update auto tag lifecycle successfully');
      },
    }),
    updateAllAutoTagLifeCycles: proven(sources, {
      async answer(botId, { body }) {
        await sql.begin((tx) => switchLifeCycles(tx, { botId, active: body.isActive }, { now: clock() }));
        return success('Update auto tag lifecycle successfully');
      },
    }),
  } satisfies Partial<Operations>;
}

/** The contract has the number of days as a string in answers and as a number in calls. */
function toAutoTag({ tagId, name, confidence, lifeCycleDays, lifeCycleActive }: Tag) {
  return { id: tagId, name, confidence, lifeCycle: String(lifeCycleDays), isActive: lifeCycleActive };
}

const completed = 'Operation completed successfully';

type Change = (
  tx: Transaction,
  change: { botId: string; assignments: readonly Assignment[] },
  at: { now: number },
) => Promise<number>;

type Named = { body: { name: string } };
type NamesTag<IdName extends string> = { params: Record<IdName, string> };

/** The calls that the three kinds of tags have in common. `idName`: the contract's name of the tag's id. */
class TagCalls<IdName extends 'tagId' | 'autoTagId'> {
  readonly #sources: Sources;
  readonly #kind: TagKind;
  readonly #idName: IdName;

  constructor(sources: Sources, kind: TagKind, idName: IdName) {
    this.#sources = sources;
    this.#kind = kind;
    this.#idName = idName;
  }

  create(message: string) {
    const { sql, clock, random } = this.#sources;
    const kind = this.#kind;
    return proven(this.#sources, {
      problemOf: nameProblem,
      async answer(botId, { body }: Named) {
        const tag = { botId, kind, name: tagName(body.name) };
        await sql.begin((tx) => createTag(tx, tag, { now: clock(), random }));
        return success(message);
      },
    });
  }

  read<Shown>(show: (key: TagKey) => Promise<Shown>) {
    return proven(this.#sources, {
      answer: async (botId, { params }: NamesTag<IdName>) => ({
        ...success(completed),
        ...(await show(await this.#key(botId, params))),
      }),
    });
  }

  rename(message: string) {
    const { sql, clock } = this.#sources;
    return proven(this.#sources, {
      problemOf: nameProblem,
      answer: async (botId, { params, body }: NamesTag<IdName> & Named) => {
        const change = { ...(await this.#key(botId, params)), name: tagName(body.name) };
        await sql.begin((tx) => renameTag(tx, change, { now: clock() }));
        return success(message);
      },
    });
  }

  delete(message: string) {
    const { sql, clock } = this.#sources;
    return proven(this.#sources, {
      answer: async (botId, { params }: NamesTag<IdName>) => {
        const key = await this.#key(botId, params);
        await sql.begin((tx) => deleteTag(tx, key, { now: clock() }));
        return success(message);
      },
    });
  }

  change(change: Change, message: string) {
    const { sql, clock } = this.#sources;
    return proven(this.#sources, {
      problemOf: clientProblem,
      answer: async (botId, sent: ClientCall & { body: Record<IdName, string> }) => {
        const { tagId } = await findTag(sql, await this.#key(botId, sent.body));
        const contactId = await findClient(this.#sources, botId, sent);
        const assignments = [{ contactId, tagId }];
        await sql.begin((tx) => change(tx, { botId, assignments }, { now: clock() }));
        return success(message);
      },
    });
  }

  list<Shown>(show: (botId: string, list: TagList) => Shown) {
    const { sql, clock } = this.#sources;
    return proven(this.#sources, {
      problemOf: listProblem,
      answer: async (botId, { query }: ListCall) => {
        const { timeZone } = await findBot(sql, botId);
        const tagQuery = { botId, kind: this.#kind, ...readListQuery(query, timeZone), now: clock() };
        const list = await listTags(sql, tagQuery);
        return { ...success(completed), ...show(botId, list), pagination: toPagination(tagQuery, list) };
      },
    });
  }

  async #key(botId: string, ids: Record<IdName, string>): Promise<TagKey> {
    const key = { botId, kind: this.#kind, tagId: ids[this.#idName] };
    return { ...key, tagId: await currentTagId(this.#sources.sql, key) };
  }
}

function nameProblem({ body }: Named): string | null {
  try {
    tagName(body.name);
    return null;
  } catch (error) {
    if (error instanceof Refusal) return `name in the body: ${error.message}`;
    throw error;
  }
}

/** The lists of automatic tags can be sorted and filtered, the others only searched. */
type ListCall = { query: Sent<'listClientTags'>['query'] & Partial<Sent<'listAutoTags'>['query']> };
const perPageMax = 1_000;
const pageMax = 1_000_000;
const orders: Readonly<Record<Sent<'listAutoTags'>['query']['sortingType'], TagOrder>> = {
  updateAt: 'updatedAt',
  clientCount: 'carriers',
  createdAt: 'createdAt',
  name: 'name',
};

function listProblem({ query: { page, perpage, startTime, endTime } }: ListCall): string | null {
  for (const [name, value, max] of [
    ['page', page, pageMax],
    ['perpage', perpage, perPageMax],
  ] as const) {
    if (value < 1 || value > max) return `${name} in the query must be from 1 to ${max}`;
  }
  for (const [name, value] of Object.entries({ startTime, endTime })) {
    if (value && !isDay(value)) return `${name} in the query must be a day written YYYY-MM-DD`;
  }
  return null;
}

function readListQuery(
  {
    page,
    perpage,
    search,
    sorting,
    sortingType,
    platform,
    startTime,
    endTime,
    isCountByPlatform,
  }: ListCall['query'],
  timeZone: string,
): Omit<TagQuery, 'botId' | 'kind' | 'now'> {
  return {
    page,
    perPage: perpage,
    search,
    order: orders[sortingType ?? 'updateAt'],
    descending: sorting === 'DESC',
    platform: platform ?? null,
    countByPlatform: isCountByPlatform !== false,
    from: startTime ? dayStart(startTime, timeZone) : null,
    before: endTime ? dayStart(addDays(endTime, 1), timeZone) : null,
  };
}

function toPagination({ page, perPage }: Pick<TagQuery, 'page' | 'perPage'>, { count }: TagList) {
  const totalPages = Math.ceil(count / perPage);
  return { totalPages, currentPage: page, hasPre: page > 1, hasNext: page < totalPages };
}
