/**
 * The import from MantaGo: one walk at a time for a bot, which is started, stopped and read here. steps.ts walks. A later walk updates
 * what the first one brought.
 */
import type { Keys } from '../auth/keys.ts';
import { lockBot } from '../bots/bots.ts';
import { isFormerIdForm } from '../contacts/former-ids.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { rowsOfBot } from '../database/row-table.ts';
import { invalidInput, Refusal } from '../errors.ts';
import { type Clock, minuteMs, secondMs } from '../time.ts';
import type { Counts } from './carry.ts';
import { findConnection, type NewConnection, putConnection } from './connections.ts';
import { type Phase, phaseNames } from './phases.ts';
import { removeWatch } from './watch-rows.ts';

export type ImportState = 'running' | 'stopped' | 'done';

export type MantagoImport = {
  botId: string;
  state: ImportState;
  /** 1 for the first walk, one more for each update. */
  run: number;
  phase: Phase;
  address: string;
  theirBotId: string;
  callsPerMinute: number;
  /** Clients at MantaGo, as its analysis reports them; null: not known yet. */
  expected: number | null;
  /** What this walk has read and changed, by name (`countNames`, names.ts). */
  counts: Counts;
  calls: number;
  /** Why the last call failed; null: it succeeded. */
  problem: string | null;
  /** The next call is not made before; null: now. */
  nextAt: Date | null;
  startedAt: Date;
  updatedAt: Date;
  endedAt: Date | null;
  /** A forecast; null: not known, or the walk does not run. */
  secondsLeft: number | null;
};

export const encodedIdsMax = 10_000_000;
const encodedBatch = 5_000;

/**
 * Starts a walk, or continues the one that has not ended. After the end of a walk, a new one updates its data. Throws Refusal
 * BOT_NOT_FOUND, and INPUT_INVALID for an incomplete connection.
 */
export async function startImport(
  sql: Sql,
  {
    botId,
    encodedIds = [],
    ...connection
  }: NewConnection & { botId: string; encodedIds?: readonly string[] },
  { clock, keys }: { clock: Clock; keys: Keys },
): Promise<MantagoImport> {
  const wrongId = encodedIds.find((id) => !isFormerIdForm(id));
  if (wrongId !== undefined)
    throw invalidInput(`${JSON.stringify(wrongId.slice(0, 100))} is no encoded id of MantaGo.`);
  const at = new Date(clock());
  await sql.begin(async (tx) => {
    // The order of locks is that of a step: the walk, then the bot.
    const [ended] = await tx<{ isDone: boolean }[]>`
      select state = 'done' as "isDone" from mantago_imports where bot_id = ${botId} for no key update`;
    await putConnection(tx, botId, connection, { now: clock(), keys });
    if (ended === undefined || ended.isDone) await restart(tx, botId, at);
    else {
      await tx`
        update mantago_imports set state = 'running', failures = 0, problem = null, ended_at = null, updated_at = ${at}
        where bot_id = ${botId}`;
    }
    await queueEncodedIds(tx, botId, encodedIds);
  });
  return readImport(sql, botId, clock());
}

async function restart(tx: Transaction, botId: string, at: Date): Promise<void> {
  await tx`delete from mantago_problems where bot_id = ${botId}`;
  await tx`
    insert into mantago_imports as walk (bot_id, state, run, phase, started_at, updated_at)
    values (${botId}, 'running', 1, ${phaseNames[0]}, ${at}, ${at})
    on conflict (bot_id) do update set state = 'running', run = walk.run + 1, phase = excluded.phase, cursor = '{}', expected = null,
      counts = '{}', calls = 0, next_at = null, failures = 0, problem = null, started_at = excluded.started_at,
      updated_at = excluded.updated_at, ended_at = null`;
}

async function queueEncodedIds(tx: Transaction, botId: string, encodedIds: readonly string[]): Promise<void> {
  for (let index = 0; index < encodedIds.length; index += encodedBatch) {
    const list = encodedIds.slice(index, index + encodedBatch);
    await tx`
      insert into mantago_queue (bot_id, kind, platform, client_id, contact)
      select bot_id, 'encoded', '', id, id
      from ${rowsOfBot(tx, 'new', botId, { list, columns: { id: ['text', (id: string) => id] } })}
      on conflict do nothing`;
  }
}

/**
 * Deletes the connection with its pair, the walk with its report, and the daily comparison. What was brought over stays, and so does the
 * series of comparisons. Safe to repeat. Throws BOT_NOT_FOUND.
 */
export async function disconnect(sql: Sql, botId: string): Promise<void> {
  await sql.begin(async (tx) => {
    // The order of locks is that of a step: the walk, then the bot.
    await tx`delete from mantago_imports where bot_id = ${botId}`;
    await lockBot(tx, botId);
    await tx`delete from mantago_connections where bot_id = ${botId}`;
    await tx`delete from mantago_queue where bot_id = ${botId}`;
    await tx`delete from mantago_problems where bot_id = ${botId}`;
  });
  await removeWatch(sql, botId);
}

/** Stops a walk; drops the answer of a call that runs. What it brought stays. Safe to repeat. Throws Refusal IMPORT_NOT_FOUND. */
export async function stopImport(
  sql: Sql,
  botId: string,
  { clock }: { clock: Clock },
): Promise<MantagoImport> {
  await sql`
    update mantago_imports set state = 'stopped', problem = null, updated_at = ${new Date(clock())}, ended_at = ${new Date(clock())}
    where bot_id = ${botId} and state = 'running'`;
  return readImport(sql, botId, clock());
}

/** The latest walk. Throws Refusal IMPORT_NOT_FOUND. */
export async function readImport(sql: Queryable, botId: string, now: number): Promise<MantagoImport> {
  const found = await findImport(sql, botId, now);
  if (found) return found;
  throw new Refusal('IMPORT_NOT_FOUND', 'Nothing was imported from MantaGo yet.');
}

type Row = Omit<MantagoImport, 'secondsLeft' | 'address' | 'theirBotId' | 'callsPerMinute'> & {
  queuedPoints: number;
  queuedIds: number;
};

/** The latest walk; null: none. */
export async function findImport(sql: Queryable, botId: string, now: number): Promise<MantagoImport | null> {
  const [row] = await sql<Row[]>`
    select bot_id as "botId", state, run, phase, expected::float8 as expected, counts, calls::float8 as calls, problem,
      next_at as "nextAt", started_at as "startedAt", updated_at as "updatedAt", ended_at as "endedAt",
      (select count(*)::float8 from mantago_queue where bot_id = ${botId} and kind = 'points') as "queuedPoints",
      (select count(*)::float8 from mantago_queue where bot_id = ${botId} and kind = 'encoded') as "queuedIds"
    from mantago_imports where bot_id = ${botId}`;
  const connection = row && (await findConnection(sql, botId));
  if (!row || !connection) return null;
  const { queuedPoints: _points, queuedIds: _ids, ...walk } = row;
  return { ...walk, ...connection, secondsLeft: forecast(row, connection.callsPerMinute, now) };
}

const clientsAtOnce = 100;
const callsForDays = 2;

/** Seconds until the end: the calls that are left, at the pace so far or the allowed one, whichever is slower. */
function forecast(row: Row, callsPerMinute: number, now: number): number | null {
  const { state, expected, counts, calls, startedAt, queuedPoints, queuedIds } = row;
  if (state !== 'running' || expected === null) return null;
  const pages = Math.max(0, expected - (counts.clients ?? 0)) / clientsAtOnce;
  const callsLeft = Math.ceil(2 * pages + queuedPoints / clientsAtOnce) + queuedIds + callsForDays;
  const paceMs = calls === 0 ? 0 : (now - startedAt.getTime()) / calls;
  return Math.ceil((callsLeft * Math.max(paceMs, minuteMs / callsPerMinute)) / secondMs);
}
