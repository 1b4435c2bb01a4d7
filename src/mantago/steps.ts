/**
 * The steps of an import from MantaGo, one call each.
 *
 *     claim: move `next_at` ahead, commit → ask MantaGo → lock the walk and the bot: write, and move the cursor → commit
 *
 * No row is locked during a call. A step runs through its phase twice: until it knows its call, and with the answer. An answer is dropped
 * if the walk was stopped or started again during the call. A killed step has written nothing, so any process repeats it: the command, or
 * a server's background work. Every write is idempotent.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Keys } from '../auth/keys.ts';
import { Stopped } from '../collector/source.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { repeatedTransaction } from '../database/repeated-transaction.ts';
import { Refusal } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Random } from '../random.ts';
import { type Clock, minuteMs, secondMs } from '../time.ts';
import type { Counts } from './carry.ts';
import { openConnection } from './connections.ts';
import { findImport, type ImportState, type MantagoImport, readImport } from './imports.ts';
import { type MantagoCall, type MantagoClient, MantagoFailure } from './mantago-client.ts';
import { askForPoints, type Next, type Phase, phaseNames, phases, type Walk } from './phases.ts';

export type ImportParts = {
  sql: Sql;
  keys: Keys;
  client: Pick<MantagoClient, 'call'>;
  clock: Clock;
  random: Random;
};

const firstPauseMs = 5 * secondMs;
const pauseMsMax = 5 * minuteMs;
/** Failures in a row of a call that MantaGo answers, but not as documented. */
const oddFailuresMax = 8;
/** The longest pause between two looks at a walk that waits. */
const lookMs = secondMs;

type Claimed = Walk & {
  state: ImportState;
  run: number;
  counts: Counts;
  failures: number;
  claimedAt: number;
};

/** Longer than a call takes. A killed step is repeated after it. */
const claimMs = minuteMs;

/**
 * Does the next step of a walk. `waiting`: not due yet, or another process does a step; `ended`: the walk does not run. Safe to call at
 * any time, from any number of processes.
 */
export async function stepImport(
  parts: ImportParts,
  botId: string,
): Promise<'stepped' | 'waiting' | 'ended'> {
  const walk = await claim(parts, botId);
  if (walk === null)
    return (await findImport(parts.sql, botId, parts.clock()))?.state === 'running' ? 'waiting' : 'ended';
  const planned = await write(parts, walk, null);
  if (planned === null) return 'stepped';
  const { connection, call } = planned;
  try {
    const [answer] = await Promise.allSettled([parts.client.call(connection, call)]);
    if (answer.status === 'rejected' && !(answer.reason instanceof MantagoFailure)) throw answer.reason;
    const spacingMs = minuteMs / connection.callsPerMinute;
    // Another call became the next one, such as after the deletion of a contact.
    if (await write(parts, walk, { call, answer })) await release(parts, walk, spacingMs);
  } catch (error) {
    if (error instanceof Stopped) await release(parts, walk, 0);
    throw error;
  }
  return 'stepped';
}

/** Takes the next step for this process. Null: none is due. */
async function claim({ sql, clock }: ImportParts, botId: string): Promise<Claimed | null> {
  const claimedAt = clock();
  const [walk] = await sql<Omit<Claimed, 'claimedAt'>[]>`
    update mantago_imports set next_at = ${new Date(claimedAt + claimMs)}
    where bot_id = ${botId} and state = 'running' and (next_at is null or next_at <= ${new Date(claimedAt)})
    returning bot_id as "botId", state, run, phase, cursor, encoded_member as "encodedMember", counts, failures,
      started_at as "startedAt"`;
  return walk ? { ...walk, claimedAt } : null;
}

/** The walk as it was claimed. */
function isClaimOf(sql: Queryable, { botId, run, claimedAt }: Claimed) {
  return sql`bot_id = ${botId} and run = ${run} and next_at = ${new Date(claimedAt + claimMs)}`;
}

/** Gives a claim back. */
async function release({ sql }: ImportParts, walk: Claimed, pauseMs: number): Promise<void> {
  await sql`
    update mantago_imports set next_at = ${new Date(walk.claimedAt + pauseMs)} where ${isClaimOf(sql, walk)}`;
}

type Connected = Awaited<ReturnType<typeof openConnection>>;
type Made = { call: MantagoCall; answer: PromiseSettledResult<JsonObject> };

/** Ends the transaction of a step that needs a call. */
class Planned extends Error {
  readonly connection: Connected;
  readonly call: MantagoCall;
  constructor(connection: Connected, call: MantagoCall) {
    super('a step needs a call');
    this.connection = connection;
    this.call = call;
  }
}

/**
 * Writes a step, unless the walk was stopped or started again since the claim. Returns the call that the step needs if it is not `made`;
 * then nothing is written.
 */
async function write(parts: ImportParts, walk: Claimed, made: Made | null): Promise<Planned | null> {
  try {
    await repeatedTransaction(parts.sql, async (tx) => {
      const [row] = await tx<{ state: ImportState }[]>`
        select state from mantago_imports where ${isClaimOf(tx, walk)} for no key update`;
      if (row?.state === 'running') await step(tx, parts, walk, made);
      else if (row) await tx`update mantago_imports set next_at = null where bot_id = ${walk.botId}`;
    });
    return null;
  } catch (error) {
    if (error instanceof Planned) return error;
    throw error;
  }
}

async function step(tx: Transaction, parts: ImportParts, row: Claimed, made: Made | null): Promise<void> {
  const { clock, random, keys } = parts;
  const { botId, claimedAt } = row;
  const calls = made === null ? 0 : 1;
  let spacingMs = 0;
  const put = async (values: Record<string, unknown>) => {
    const at = new Date(clock());
    await tx`
      update mantago_imports set ${tx({ ...values, updated_at: at })}, calls = calls + ${calls} where bot_id = ${botId}`;
  };
  try {
    const connection = await openConnection(tx, botId, keys);
    spacingMs = minuteMs / connection.callsPerMinute;
    const ask = async (call: MantagoCall) => {
      if (made === null || !isDeepStrictEqual(call, made.call)) throw new Planned(connection, call);
      if (made.answer.status === 'rejected') throw made.answer.reason;
      return made.answer.value;
    };
    const next = await advance(row, { tx, ask, now: claimedAt, random });
    const counts = sum(row.counts, next.counts ?? {});
    const phase = next.cursor === undefined ? phaseAfter(row.phase) : row.phase;
    const nextAt = calls === 0 ? null : new Date(claimedAt + spacingMs);
    await tx`
      update mantago_imports set cursor = ${JSON.stringify(next.cursor ?? {})}::text::jsonb,
        counts = ${JSON.stringify(counts)}::text::jsonb where bot_id = ${botId}`;
    await put({
      phase: phase ?? row.phase,
      ...(phase === null && { state: 'done', ended_at: new Date(clock()) }),
      ...(next.encodedMember !== undefined && { encoded_member: next.encodedMember }),
      ...(next.expected !== undefined && { expected: next.expected }),
      ...{ next_at: nextAt, failures: 0, problem: null },
    });
  } catch (error) {
    if (error instanceof MantagoFailure) {
      await put(failureOf(error, { failures: row.failures + 1, now: clock(), spacingMs }));
    } else if (error instanceof Refusal && calls === 0) {
      // The stored pair cannot be opened.
      await put({ state: 'stopped', next_at: null, problem: error.message, ended_at: new Date(clock()) });
    } else throw error;
  }
}

type Advance = Parameters<(typeof phases)[Phase]>[1];

/** Queued points come first. */
async function advance(walk: Claimed, parts: Advance): Promise<Next> {
  const counts = await askForPoints(walk, parts);
  return counts === null ? phases[walk.phase](walk, parts) : { cursor: walk.cursor, counts };
}

/** Null: the walk is over. */
function phaseAfter(phase: Phase): Phase | null {
  return phaseNames[phaseNames.indexOf(phase) + 1] ?? null;
}

function sum(counts: Counts, more: Counts): Counts {
  const added = Object.entries(more).map(([name, count]) => [name, (counts[name] ?? 0) + count]);
  return { ...counts, ...Object.fromEntries(added) };
}

/** The changes of a walk after a failed call: a pause, or its end. */
function failureOf(
  { kind, message, pauseMs }: MantagoFailure,
  { failures, now, spacingMs }: { failures: number; now: number; spacingMs: number },
): Record<string, unknown> {
  const isOdd = kind === 'declined' || kind === 'nonsense';
  if (kind === 'refused' || (isOdd && failures >= oddFailuresMax))
    return { state: 'stopped', next_at: null, problem: message, failures, ended_at: new Date(now) };
  const growing = Math.min(firstPauseMs * 2 ** Math.min(failures - 1, 20), pauseMsMax);
  return { next_at: new Date(now + Math.max(pauseMs ?? growing, spacingMs)), problem: message, failures };
}

/** Steps a walk until it ends or `stop`; calls `onStep` after each step. Returns its last state. */
export async function runImport(
  parts: ImportParts,
  botId: string,
  { stop, onStep }: { stop: AbortSignal; onStep(walk: MantagoImport): void },
): Promise<MantagoImport> {
  const { sql, clock } = parts;
  for (;;) {
    const outcome = await stepImport(parts, botId);
    const walk = await readImport(sql, botId, clock());
    onStep(walk);
    if (outcome === 'ended' || stop.aborted) return walk;
    const waitMs = (walk.nextAt?.getTime() ?? 0) - clock();
    if (waitMs > 0) await pause(Math.min(waitMs, lookMs));
  }
}

/** The running imports of all bots, in the order of their next steps. */
export async function nextImports(
  sql: Queryable,
  { limit }: { limit: number },
): Promise<{ botId: string; nextAt: Date | null }[]> {
  return sql`
    select bot_id as "botId", next_at as "nextAt" from mantago_imports where state = 'running'
    order by next_at nulls first limit ${limit}`;
}
