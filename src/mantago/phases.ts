/**
 * The phases of a walk through MantaGo. Each step makes one call, then writes what it returned. A phase keeps its place in a cursor.
 *
 *     answers → tags → probe → clients → recent → ids → days
 *
 * Points of listed clients are queued, and asked for before the next step of a phase.
 */

import { prefixes } from '../api/mantago/figures.ts';
import { findBot, lockBot } from '../bots/bots.ts';
import type { Transaction } from '../database/client.ts';
import { asText, isObject, isStorable, type JsonObject } from '../json.ts';
import { normalContactId } from '../platforms/contact-ids.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import type { Random } from '../random.ts';
import { type TagKind, tagKinds } from '../tags/tag.ts';
import { addDays, dayOf, isDay } from '../time.ts';
import { type Counts, carryAnswer, carryClients, carryDays, carryPoints, carryTags } from './carry.ts';
import { isUnknownClient, type MantagoCall, MantagoFailure } from './mantago-client.ts';
import type { ProblemReason } from './names.ts';
import { type Problem, putProblems } from './problems.ts';
import { type Candidate, candidatesOf, listOf, readClient } from './their-clients.ts';

export const phaseNames = ['answers', 'tags', 'probe', 'clients', 'recent', 'ids', 'days'] as const;
export type Phase = (typeof phaseNames)[number];
/** One shape for all phases, stored as JSON. Members that a phase does not use are missing. */
export type Cursor = {
  /** answers, tags: the list or answer; days: the window; from 0. ids: 1 after the first step. */
  part?: number;
  /** tags: from 1. */
  page?: number;
  /** clients, recent: MantaGo's token of the next page, or the number of listed clients. */
  next?: string;
  offset?: number;
  /** The first client of the last page. */
  first?: string;
  candidates?: Candidate[];
};

export type Walk = {
  botId: string;
  phase: Phase;
  cursor: Cursor;
  encodedMember: string | null;
  startedAt: Date;
};
export type StepParts = {
  tx: Transaction;
  ask(call: MantagoCall): Promise<JsonObject>;
  now: number;
  random: Random;
};
/** The place after a step. Without a cursor, the phase is over. */
export type Next = {
  cursor?: Cursor;
  counts?: Counts;
  encodedMember?: string | null;
  expected?: number | null;
};

const pageSize = 100;
const tagPagesMax = 1_000;
const daysAtOnce = 365;
const windowsMax = 12;
const tokenLengthMax = 2_000;

export const phases: Record<Phase, (walk: Walk, parts: StepParts) => Promise<Next>> = {
  answers: askForAnswers,
  tags: askForTags,
  probe: probeEncodedIds,
  clients: (walk, parts) => askForClients(walk, parts, {}),
  recent: (walk, parts) => askForClients(walk, parts, { startAt: walk.startedAt.getTime() }),
  ids: askForEncodedId,
  days: askForDays,
};

async function askForAnswers(
  { botId, cursor: { part = 0 } }: Walk,
  { tx, ask, now }: StepParts,
): Promise<Next> {
  const kind = part === 0 ? 'clients' : 'messages';
  const answer = await ask({ path: kind === 'clients' ? '/clients/analysis' : '/message/analysis' });
  if (isStorable(answer)) await carryAnswer(tx, botId, { kind, answer, now });
  if (kind === 'messages') return { counts: { answers: 1 } };
  const total = isObject(answer.clientAnalysis) ? answer.clientAnalysis.botTotallFollowers : null;
  return { cursor: { part: 1 }, counts: { answers: 1 }, expected: isCount(total) ? total : null };
}

const tagLists: Record<TagKind, { path: string; member: string }> = {
  manual: { path: '/clientTags/list', member: 'clientTagList' },
  personal: { path: '/personalTags/list', member: 'listPersonalTags' },
  automatic: { path: '/autoTags/list', member: 'autoTagList' },
};
/** So that a tag that is added during the walk comes last. */
const automaticOrder = { sorting: 'ASC', sortingType: 'createdAt' };

async function askForTags(
  { botId, cursor: { part = 0, page = 1 } }: Walk,
  { tx, ask, now, random }: StepParts,
): Promise<Next> {
  const kind = tagKinds[part];
  if (kind === undefined) return {};
  const { path, member } = tagLists[kind];
  const nextList = part + 1 < tagKinds.length ? { cursor: { part: part + 1 } } : {};
  const query = { page, perpage: pageSize, ...(kind === 'automatic' && automaticOrder) };
  const answer = await declinedAsNull(ask({ path, query }));
  if (answer === null) {
    await report(tx, botId, 'tag-list', kind);
    return nextList;
  }
  const counts = await carryTags(tx, botId, { kind, tags: listOf(answer, member) }, { now, random });
  const hasNext = isObject(answer.pagination) && answer.pagination.hasNext === true && page < tagPagesMax;
  return { ...(hasNext ? { cursor: { part, page: page + 1 } } : nextList), counts };
}

/** Finds the member of a listed client that holds its encoded id: the profile call proves it. */
async function probeEncodedIds({ botId, cursor }: Walk, { tx, ask }: StepParts): Promise<Next> {
  const [candidate, ...candidates] = cursor.candidates ?? [];
  if (cursor.candidates === undefined) {
    const { list } = readPage(await ask({ path: '/clients', query: { limit: 5 } }));
    const found = candidatesOf(list).filter(isStorable);
    if (found.length > 0) return { cursor: { candidates: found } };
  } else if (candidate !== undefined) {
    const { member, encodedId, clientId } = candidate;
    const answer = await declinedAsNull(ask({ path: `/client/${encodeURIComponent(encodedId)}` }));
    const isProof = isObject(answer?.client) && answer.client.clientId === clientId;
    if (isProof) return { encodedMember: member };
    if (candidates.length > 0) return { cursor: { candidates } };
  }
  const [queued] = await tx`
    select from mantago_queue where bot_id = ${botId} and kind = 'encoded' limit 1`;
  if (!queued) await report(tx, botId, 'encoded-ids', '');
  return { encodedMember: null };
}

async function askForClients(
  { botId, cursor, encodedMember }: Walk,
  { tx, ask, now, random }: StepParts,
  filter: { startAt?: number },
): Promise<Next> {
  const { next = null, offset = 0, first = null } = cursor;
  const place = next === null ? { offset } : { next };
  let answer: JsonObject;
  try {
    answer = await ask({ path: '/clients', query: { limit: pageSize, ...filter, ...place } });
  } catch (error) {
    // A token of a page may expire while the walk rests. Pages by number go on from there.
    if (next === null || !(error instanceof MantagoFailure && error.kind === 'declined')) throw error;
    return { cursor: { offset } };
  }
  const { list, next: token } = readPage(answer);
  const [head] = list;
  if (head === undefined) return {};
  const headId = `${asText(head.platform)} ${asText(head.clientId)}`.slice(0, tokenLengthMax).toWellFormed();
  if (headId === first) {
    await report(tx, botId, 'paging', String(offset));
    return {};
  }
  const problems: Problem[] = [];
  const problem = (one: Problem) => void problems.push(one);
  const clients = list.flatMap((value) => readClient(value, { encodedMember, problem }) ?? []);
  const carried = await carryClients(tx, botId, clients, { points: 'all', now, random });
  await putProblems(tx, botId, problems);
  const counts = { ...carried, clients: list.length };
  const listed = { offset: offset + list.length, first: headId.replaceAll('\0', '') };
  if (token !== null && token !== next) return { cursor: { ...listed, next: token }, counts };
  // The last page by token has none. A full page without one may also mean that MantaGo pages by number alone.
  return list.length < pageSize ? { counts } : { cursor: listed, counts };
}

/** A page of clients, and the token of the next page; null: none. */
function readPage({ clientList }: JsonObject): { list: JsonObject[]; next: string | null } {
  const token = isObject(clientList) ? clientList.next : null;
  const isToken = typeof token === 'string' && token !== '' && token.length <= tokenLengthMax;
  return { list: listOf(clientList, 'list'), next: isToken && isStorable(token) ? token : null };
}

/** Asks for the client of one encoded id of the file. */
async function askForEncodedId(
  { botId, cursor, encodedMember }: Walk,
  { tx, ask, now, random }: StepParts,
): Promise<Next> {
  if (cursor.part === undefined) {
    // Ids that the list has brought already need no call. The deletion of a contact deletes rows under the same lock.
    await lockBot(tx, botId);
    await tx`
      delete from mantago_queue where bot_id = ${botId} and kind = 'encoded' and client_id in (
        select contact_id from contacts where bot_id = ${botId} and contact_id in (
          select client_id from mantago_queue where bot_id = ${botId} and kind = 'encoded'))`;
    return { cursor: { part: 1 } };
  }
  const [queued] = await tx<{ encodedId: string }[]>`
    select client_id as "encodedId" from mantago_queue
    where bot_id = ${botId} and kind = 'encoded' order by client_id limit 1`;
  if (!queued) return {};
  const { encodedId } = queued;
  const answer = await declinedAsNull(ask({ path: `/client/${encodeURIComponent(encodedId)}` }));
  const problems: Problem[] = [];
  const problem = (one: Problem) => void problems.push(one);
  const client = isObject(answer?.client) ? readClient(answer.client, { encodedMember, problem }) : null;
  if (answer === null || client === null) await report(tx, botId, 'encoded-id-unknown', encodedId);
  const counts = client
    ? await carryClients(tx, botId, [{ ...client, encodedId }], { points: 'new', now, random })
    : {};
  await putProblems(tx, botId, problems);
  await tx`
    delete from mantago_queue where bot_id = ${botId} and kind = 'encoded' and client_id = ${encodedId}`;
  return { cursor, counts };
}

/** Asks for followers by day, a year at a time and backwards, until a year has none. */
async function askForDays(
  { botId, cursor: { part = 0 }, startedAt }: Walk,
  { tx, ask }: StepParts,
): Promise<Next> {
  const { timeZone } = await findBot(tx, botId);
  const to = addDays(dayOf(startedAt.getTime(), timeZone), -part * daysAtOnce);
  const from = addDays(to, 1 - daysAtOnce);
  const body = { startTime: from, endTime: to, type: 'follower' };
  const answer = await declinedAsNull(ask({ path: '/clients/statistics', body }));
  if (answer === null) {
    await report(tx, botId, 'followers', `${from} ${to}`);
    return {};
  }
  const days = platformNames.flatMap((platform) => readDays(answer.clientStatistics, platform));
  const counted = days.filter(({ followers, day }) => followers > 0 && day >= from && day <= to);
  await lockBot(tx, botId);
  await carryDays(tx, botId, counted);
  const counts = { days: counted.length };
  return counted.length === 0 || part + 1 >= windowsMax ? { counts } : { cursor: { part: part + 1 }, counts };
}

function readDays(
  statistics: unknown,
  platform: PlatformName,
): { platform: PlatformName; day: string; followers: number }[] {
  const days = new Map<string, number>();
  for (const { date, count } of listOf(statistics, `${prefixes[platform]}Followers`))
    if (typeof date === 'string' && isDay(date) && isCount(count)) days.set(date, count);
  return [...days].map(([day, followers]) => ({ platform, day, followers }));
}

/** Asks for the points of up to 100 queued clients of one platform. Null: none is queued. */
export async function askForPoints(
  { botId }: Pick<Walk, 'botId'>,
  { tx, ask, now }: StepParts,
): Promise<Counts | null> {
  const queued = await tx<{ platform: PlatformName; clientId: string; contact: string }[]>`
    select platform, client_id as "clientId", contact from mantago_queue
    where bot_id = ${botId} and kind = 'points' order by platform, client_id limit ${pageSize}`;
  const [head] = queued;
  if (head === undefined) return null;
  const { platform } = head;
  const clients = queued.filter((client) => client.platform === platform);
  const body = { platform, platformClientIds: clients.map(({ clientId }) => clientId) };
  const answer = await unknownAsNull(ask({ path: '/client/point', body }));
  const points = new Map<string, unknown>();
  for (const one of answer === null ? [] : listOf(answer, 'points')) {
    if (typeof one.platformClientId === 'string')
      points.set(normalContactId(platform, one.platformClientId), one.points);
  }
  const list = clients.map((client) => ({ ...client, points: points.get(client.contact) }));
  return carryPoints(tx, botId, list, { now });
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

async function report(tx: Transaction, botId: string, reason: ProblemReason, subject: string): Promise<void> {
  await putProblems(tx, botId, [{ reason, platform: '', subject, detail: '' }]);
}

/** Null: MantaGo declines this call; the walk goes on without it. */
async function declinedAsNull(answer: Promise<JsonObject>): Promise<JsonObject | null> {
  return answer.catch((error: unknown) => {
    if (error instanceof MantagoFailure && error.kind === 'declined') return null;
    throw error;
  });
}

/** Null: MantaGo knows none of the clients. */
async function unknownAsNull(answer: Promise<JsonObject>): Promise<JsonObject | null> {
  return answer.catch((error: unknown) => {
    if (isUnknownClient(error)) return null;
    throw error;
  });
}
