/**
 * MantaGo's calls about tags: manual ones (client tags), personal and automatic ones. Messages are the contract's, to the
 * letter; those that it does not tell are chosen after their siblings (docs/mantago.md).
 */
import { findBot } from '../../bots/bots.ts';
import type { Transaction } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { platformNames } from '../../platforms/platform.ts';
import { assignTags, countCarriers, unassignTags } from '../../tags/assignments.ts';
import { listTags, type TagList, type TagOrder, type TagQuery } from '../../tags/list.ts';
import type { Assignment, TagKind } from '../../tags/tag.ts';
import {
  createTag,
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
import { clientProblem, findClient } from './clients.ts';
import { type MantagoOperation, proven, type Sent, type Sources, success } from './operation.ts';

type Operations = Record<string, MantagoOperation>;

/** The operations, reading from the given sources. */
export function tagOperations(sources: Sources): Operations {
  return { ...manualOperations(sources), ...personalOperations(sources), ...automaticOperations(sources) };
}

function manualOperations(sources: Sources): Operations {
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
  };
}

function personalOperations(sources: Sources): Operations {
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
    deletePersonalTag: calls.delete(done),
    createPersonalTagMapping: calls.change(assignTags, 'Create personal tag mapping successfully'),
    deletePersonalTagMapping: calls.change(unassignTags, 'Delete personal tag mapping successfully'),
    listPersonalTags: calls.list((_, { tags }) => ({
      listPersonalTags: tags.map(({ tagId, name, carriers }) => ({ id: tagId, name, count: carriers })),
    })),
  };
}

function automaticOperations(sources: Sources): Operations {
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
        Number(lifeCycle) <= lifeCycleDaysMax
          ? null
          : `lifeCycle in the body must be at most ${lifeCycleDaysMax} days`,
      async answer(botId, { body, params }) {
        const change = { botId, tagId: String(params.autoTagId), active: body.isActive === true };
        const days = Number(body.lifeCycle);
        await sql.begin((tx) => setLifeCycle(tx, { ...change, days }, { now: clock() }));
        return success('Update auto tag lifecycle successfully');
      },
    }),
    updateAllAutoTagLifeCycles: proven(sources, {
      async answer(botId, { body }) {
        const active = body.isActive === true;
        await sql.begin((tx) => switchLifeCycles(tx, { botId, active }, { now: clock() }));
        return success('Update auto tag lifecycle successfully');
      },
    }),
  };
}

/** The number of days goes out as a text, though it comes in as a number: the contract has it so. */
function toAutoTag({ tagId, name, confidence, lifeCycleDays, lifeCycleActive }: Tag) {
  return { id: tagId, name, confidence, lifeCycle: String(lifeCycleDays), isActive: lifeCycleActive };
}

const done = 'Operation completed successfully';

type Change = (
  tx: Transaction,
  change: { botId: string; assignments: readonly Assignment[] },
  at: { now: number },
) => Promise<number>;

/** The calls that the three kinds of tags have in common. `idName`: what the contract calls the id of such a tag. */
class TagCalls {
  readonly #sources: Sources;
  readonly #kind: TagKind;
  readonly #idName: 'tagId' | 'autoTagId';

  constructor(sources: Sources, kind: TagKind, idName: 'tagId' | 'autoTagId') {
    this.#sources = sources;
    this.#kind = kind;
    this.#idName = idName;
  }

  create(message: string): MantagoOperation {
    const { sql, clock, random } = this.#sources;
    const kind = this.#kind;
    return proven(this.#sources, {
      problemOf: nameProblem,
      async answer(botId, { body }) {
        const tag = { botId, kind, name: nameIn(body) };
        await sql.begin((tx) => createTag(tx, tag, { now: clock(), random }));
        return success(message);
      },
    });
  }

  read(show: (key: TagKey) => Promise<JsonObject>): MantagoOperation {
    return proven(this.#sources, {
      answer: async (botId, { params }) => ({ ...success(done), ...(await show(this.#key(botId, params))) }),
    });
  }

  rename(message: string): MantagoOperation {
    const { sql, clock } = this.#sources;
    return proven(this.#sources, {
      problemOf: nameProblem,
      answer: async (botId, { params, body }) => {
        const change = { ...this.#key(botId, params), name: nameIn(body) };
        await sql.begin((tx) => renameTag(tx, change, { now: clock() }));
        return success(message);
      },
    });
  }

  delete(message: string): MantagoOperation {
    const { sql, clock } = this.#sources;
    return proven(this.#sources, {
      answer: async (botId, { params }) => {
        await sql.begin((tx) => deleteTag(tx, this.#key(botId, params), { now: clock() }));
        return success(message);
      },
    });
  }

  change(change: Change, message: string): MantagoOperation {
    const { sql, clock } = this.#sources;
    return proven(this.#sources, {
      problemOf: clientProblem,
      answer: async (botId, sent) => {
        const { tagId } = await findTag(sql, this.#key(botId, sent.body));
        const contactId = await findClient(this.#sources, botId, sent);
        const assignments = [{ contactId, tagId }];
        await sql.begin((tx) => change(tx, { botId, assignments }, { now: clock() }));
        return success(message);
      },
    });
  }

  list(show: (botId: string, list: TagList) => JsonObject): MantagoOperation {
    const { sql, clock } = this.#sources;
    return proven(this.#sources, {
      problemOf: listProblem,
      answer: async (botId, { query }) => {
        const { timeZone } = await findBot(sql, botId);
        const asked = { botId, kind: this.#kind, ...readListQuery(query, timeZone), now: clock() };
        const list = await listTags(sql, asked);
        return { ...success(done), ...show(botId, list), pagination: toPagination(asked, list) };
      },
    });
  }

  #key(botId: string, named: JsonObject): TagKey {
    return { botId, kind: this.#kind, tagId: String(named[this.#idName]) };
  }
}

function nameIn({ name }: JsonObject): string {
  return tagName(String(name));
}

function nameProblem({ body }: Sent): string | null {
  try {
    nameIn(body);
    return null;
  } catch (error) {
    if (error instanceof Refusal) return `name in the body: ${error.message}`;
    throw error;
  }
}

const perPageMax = 1_000;
const pageMax = 1_000_000;
const orders: Readonly<Record<string, TagOrder>> = {
  updateAt: 'updatedAt',
  clientCount: 'carriers',
  createdAt: 'createdAt',
  name: 'name',
};

function listProblem({ query: { page, perpage, startTime, endTime } }: Sent): string | null {
  for (const [name, value, max] of [
    ['page', page, pageMax],
    ['perpage', perpage, perPageMax],
  ] as const) {
    if (Number(value) < 1 || Number(value) > max) return `${name} in the query must be from 1 to ${max}`;
  }
  for (const [name, value] of Object.entries({ startTime, endTime })) {
    if (value && !isDay(String(value))) return `${name} in the query must be a day written YYYY-MM-DD`;
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
  }: JsonObject,
  timeZone: string,
): Omit<TagQuery, 'botId' | 'kind' | 'now'> {
  return {
    page: Number(page),
    perPage: Number(perpage),
    search: String(search),
    order: orders[String(sortingType)] ?? 'updatedAt',
    descending: sorting === 'DESC',
    platform: platformNames.find((name) => name === platform) ?? null,
    countByPlatform: isCountByPlatform !== false,
    from: startTime ? dayStart(String(startTime), timeZone) : null,
    before: endTime ? dayStart(addDays(String(endTime), 1), timeZone) : null,
  };
}

function toPagination({ page, perPage }: Pick<TagQuery, 'page' | 'perPage'>, { count }: TagList) {
  const totalPages = Math.ceil(count / perPage);
  return { totalPages, currentPage: page, hasPre: page > 1, hasNext: page < totalPages };
}
