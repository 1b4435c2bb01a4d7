/**
 * The comparison with MantaGo: both servers answer the same calls, at the same time. Ours answers through the same operations as the
 * MantaGo API.
 */
import type { Sources } from '../api/mantago/operation.ts';
import { mantagoOperations } from '../api/mantago/operations.ts';
import { findBot } from '../bots/bots.ts';
import type { Queryable } from '../database/client.ts';
import { asText, isObject, type JsonObject } from '../json.ts';
import { normalContactId } from '../platforms/contact-ids.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { addDays, dayMs, dayOf, minuteMs } from '../time.ts';
import { openConnection } from './connections.ts';
import {
  type ClientGap,
  clientGaps,
  type FigureGap,
  type FigureValue,
  figuresIn,
  gapsOf,
} from './figure-gaps.ts';
import type { ComparedCall } from './gap-reasons.ts';
import { isUnknownClient, type MantagoCall, type MantagoClient } from './mantago-client.ts';
import { listOf, readClient, type TheirClient } from './their-clients.ts';
import type { CompareOptions } from './watch-rows.ts';

export type CompareParts = Sources & { client: Pick<MantagoClient, 'call' | 'pause'> };
export const toleranceDefault = 1;
export const sampleDefault = 20;
export const sampleMax = 100;

export type Comparison = { comparedAt: Date; tolerance: number; beyond: number; figures: FigureGap[] };

const keptDays = 400;
const statisticsDays = 7;

/**
 * Compares and stores the result. `clients`: the clients of the sample that differ, which are not stored. Throws MantagoFailure, and
 * Refusal BOT_NOT_FOUND or INPUT_INVALID.
 */
export async function compare(
  parts: CompareParts,
  botId: string,
  { tolerance, sample }: CompareOptions,
): Promise<Comparison & { clients: ClientGap[] }> {
  const comparing = await Comparing.open(parts, botId, tolerance);
  const comparedAt = new Date(parts.clock());
  await comparing.compareAnalyses();
  await comparing.compareDays();
  await comparing.compareClients(sample);
  await comparing.compareTags();
  const { figures, clients } = comparing;
  const beyond = figures.filter(({ isBeyond }) => isBeyond).length;
  await put(parts.sql, botId, { comparedAt, tolerance, beyond, figures });
  return { comparedAt, tolerance, beyond, figures, clients };
}

type Operations = ReturnType<typeof mantagoOperations>;
/** An operation of any id; its input is checked here by the types of the callers alone. */
type AnyOperation = {
  read(caller: object, sent: object): Promise<{ answer(sent: object): unknown } | null>;
};
type Input = { body?: JsonObject; query?: JsonObject; params?: JsonObject };

class Comparing {
  readonly figures: FigureGap[] = [];
  readonly clients: ClientGap[] = [];
  readonly #parts: CompareParts;
  readonly #operations: Operations;
  readonly #botId: string;
  readonly #timeZone: string;
  readonly #tolerance: number;
  readonly #ask: (call: MantagoCall) => Promise<JsonObject>;

  static async open(parts: CompareParts, botId: string, tolerance: number): Promise<Comparing> {
    const { timeZone } = await findBot(parts.sql, botId);
    const connection = await openConnection(parts.sql, botId, parts.keys);
    const spacingMs = minuteMs / connection.callsPerMinute;
    let isFirst = true;
    const ask = async (call: MantagoCall) => {
      if (!isFirst) await parts.client.pause(spacingMs);
      isFirst = false;
      return parts.client.call(connection, call);
    };
    return new Comparing(parts, { botId, timeZone, tolerance, ask });
  }

  private constructor(
    parts: CompareParts,
    own: { botId: string; timeZone: string; tolerance: number; ask(call: MantagoCall): Promise<JsonObject> },
  ) {
    this.#parts = parts;
    this.#operations = mantagoOperations(parts);
    this.#botId = own.botId;
    this.#timeZone = own.timeZone;
    this.#tolerance = own.tolerance;
    this.#ask = own.ask;
  }

  async compareAnalyses(): Promise<void> {
    const theirs = await this.#ask({ path: '/clients/analysis' });
    const ours = await this.#own('getClientAnalysis', {});
    this.#add('clients/analysis', ours.clientAnalysis, theirs.clientAnalysis);
    const theirMessages = await this.#ask({ path: '/message/analysis' });
    this.#add('message/analysis', await this.#own('getMessageAnalysis', {}), theirMessages);
  }

  async compareDays(): Promise<void> {
    // Today changes between the two calls.
    const endTime = addDays(dayOf(this.#parts.clock(), this.#timeZone), -1);
    const body = { startTime: addDays(endTime, 1 - statisticsDays), endTime };
    const theirs = await this.#ask({ path: '/clients/statistics', body: { ...body, type: 'follower' } });
    const ours = await this.#own('getClientStatistics', { body });
    this.#add('clients/statistics', ours.clientStatistics, theirs.clientStatistics);
  }

  /** The newest clients, and their points. */
  async compareClients(sample: number): Promise<void> {
    const answer = await this.#ask({ path: '/clients', query: { limit: sample } });
    const clients = listOf(answer.clientList, 'list').slice(0, sample);
    // Clients that no import could bring over are not known here.
    const possible = new Map<JsonObject, TheirClient>();
    const ours = new Map<JsonObject, JsonObject>();
    for (const client of clients) {
      const read = readClient(client, { encodedMember: null, problem: () => undefined });
      if (read === null) continue;
      possible.set(client, read);
      const own = await this.#ownClient(read);
      if (own) ours.set(client, own);
    }
    const gaps = clientGaps(clients, (client) => ours.get(client));
    this.clients.push(...gaps.clients);
    this.figures.push(...gapsOf('clients', gaps, this.#tolerance));
    await this.#comparePoints([...possible.values()]);
  }

  async compareTags(): Promise<void> {
    const query = { page: 1, perpage: sampleMax, sorting: 'ASC', sortingType: 'createdAt' };
    const theirs = listOf(await this.#ask({ path: '/autoTags/list', query }), 'autoTagList');
    const ours = listOf(await this.#own('listAutoTags', { query: { ...query, search: '' } }), 'autoTagList');
    const namesOf = (tags: readonly JsonObject[]) => new Set(tags.map(({ name }) => asText(name)));
    const [ourNames, theirNames] = [namesOf(ours), namesOf(theirs)];
    const shared = [...theirNames].filter((name) => ourNames.has(name)).length;
    const figure = 'autoTags';
    const pair = { ours: new Map([[figure, shared]]), theirs: new Map([[figure, theirNames.size]]) };
    this.figures.push(...gapsOf('autoTags/list', pair, this.#tolerance));
  }

  async #comparePoints(clients: readonly TheirClient[]): Promise<void> {
    const sums = { ours: 0, theirs: 0, equal: 0, compared: 0 };
    for (const platform of platformNames) {
      const ids = clients.filter((client) => client.platform === platform).map(({ clientId }) => clientId);
      if (ids.length === 0) continue;
      const body = { platform, platformClientIds: ids };
      const theirs = pointsIn(await knownAnswer(this.#ask({ path: '/client/point', body })), platform);
      const ours = pointsIn(await knownAnswer(this.#own('getClientPoints', { body })), platform);
      for (const [clientId, points] of theirs) {
        const own = ours.get(clientId) ?? 0;
        sums.compared += 1;
        sums.theirs += points;
        sums.ours += own;
        if (own === points) sums.equal += 1;
        else this.clients.push({ platform, clientId, figure: 'points', ours: own, theirs: points });
      }
    }
    const ours = new Map([
      ['points', sums.ours],
      ['clientsWithEqualPoints', sums.equal],
    ]);
    const theirs = new Map([
      ['points', sums.theirs],
      ['clientsWithEqualPoints', sums.compared],
    ]);
    this.figures.push(...gapsOf('client/point', { ours, theirs }, this.#tolerance));
  }

  async #ownClient({ platform, clientId }: TheirClient): Promise<JsonObject | null> {
    const query = { platform, platformClientId: clientId };
    const answer = await knownAnswer(this.#own('getClient', { query, params: {} }));
    return isObject(answer.client) ? answer.client : null;
  }

  /** Our answer, from the operation of the API. */
  async #own(id: keyof Operations, { body = {}, query = {}, params = {} }: Input): Promise<JsonObject> {
    const sent = { body: { ...body, secret: '' }, query: { ...query, botId: this.#botId }, params };
    const operation = this.#operations[id] as unknown as AnyOperation;
    const read = await operation.read({ botId: this.#botId }, sent);
    if (read === null) throw new Error(`bot ${this.#botId} was deleted during the comparison`);
    return (await read.answer(sent)) as JsonObject;
  }

  #add(call: ComparedCall, ours: unknown, theirs: unknown): void {
    const figuresOf = (answer: unknown): Map<string, FigureValue> =>
      isObject(answer) ? figuresIn(answer) : new Map();
    const pair = { ours: figuresOf(ours), theirs: figuresOf(theirs) };
    // Platforms that neither of the two has are left out of the days.
    const isDays = call === 'clients/statistics';
    const gaps = gapsOf(call, pair, this.#tolerance);
    this.figures.push(...gaps.filter(({ ours, theirs }) => !isDays || ours !== 0 || theirs !== 0));
  }
}

/** An answer without members, if the server knows none of the clients. */
async function knownAnswer(answer: Promise<JsonObject>): Promise<JsonObject> {
  return answer.catch((error: unknown) => {
    const isOurs = isObject(error) && error.code === 'CONTACT_NOT_FOUND';
    if (isOurs || isUnknownClient(error)) return {};
    throw error;
  });
}

function pointsIn(answer: JsonObject, platform: PlatformName): Map<string, number> {
  return new Map(
    listOf(answer, 'points').flatMap(({ platformClientId, points }) =>
      typeof platformClientId === 'string' && typeof points === 'number'
        ? [[normalContactId(platform, platformClientId), points] as const]
        : [],
    ),
  );
}

async function put(
  sql: Queryable,
  botId: string,
  { comparedAt, tolerance, beyond, figures }: Comparison,
): Promise<void> {
  await sql`
    insert into mantago_comparisons (bot_id, compared_at, tolerance, beyond, figures)
    values (${botId}, ${comparedAt}, ${tolerance}, ${beyond}, ${JSON.stringify(figures)}::text::jsonb)
    on conflict (bot_id, compared_at) do nothing`;
  await sql`
    delete from mantago_comparisons
    where bot_id = ${botId} and compared_at < ${new Date(comparedAt.getTime() - keptDays * dayMs)}`;
}

/** A page of comparisons, newest first: those before `before` (ms) if it is set. */
export async function listComparisons(
  sql: Queryable,
  botId: string,
  { before, limit }: { before: number | null; limit: number },
): Promise<Comparison[]> {
  return sql`
    select compared_at as "comparedAt", tolerance, beyond, figures from mantago_comparisons
    where bot_id = ${botId} ${before === null ? sql`` : sql`and compared_at < ${new Date(before)}`}
    order by compared_at desc limit ${limit}`;
}
