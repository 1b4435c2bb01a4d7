/**
 * The database as the rest of Shoal knows it: one pool, migrated, wherever it is. DATABASE_URL names any PostgreSQL server;
 * without it Shoal runs its own in the data folder.
 */

import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { connectionClosed, openClient, type Sql } from '../database/client.ts';
import { placeOf, readDatabaseUrl } from '../database/database-url.ts';
import { openEmbedded } from '../database/embedded/embedded.ts';
import { migrate } from '../database/migrate.ts';
import { isAway } from '../database/outage.ts';
import { connect } from '../database/pool.ts';
import { Refusal } from '../errors.ts';
import { once } from '../once.ts';
import { secondMs } from '../time.ts';

export type Database = {
  sql: Sql;
  /** One more pool on the same database; it is closed with it. */
  openPool(max: number): Sql;
  /** A bare client to listen with; whoever opens it ends it. `lost` is called at the first sign that its connection is ending. */
  openListener(lost: () => void, purpose?: string): Sql;
  /** Ends every connection of the pools at once; what was under way fails, and new ones are made. */
  dropConnections(): void;
  /** Waits for the queries under way, at most some seconds. Safe to call twice. */
  close(): Promise<void>;
};

type Options = {
  /** Null: the embedded PostgreSQL. */
  databaseUrl: string | null;
  dataFolder: string;
  /** Take the data folder as its one server; any number may share a server of DATABASE_URL. */
  exclusive?: boolean;
  max: number;
  applicationName: string;
  log: Logger;
  /** Waits for a server that is away, until the signal; without one, such a server is refused. */
  waiting?: AbortSignal | undefined;
  /** Ends the waiting for the embedded server with the signal's reason, and cuts off the queries that are under way at the close. */
  stopping?: AbortSignal | undefined;
};

/** The pauses between attempts to reach a server that is away; the last one repeats. */
const retryPausesMs = [500, 1_000, 2_000, 5_000];
const versionMin = 15;
/** PostgreSQL writes 15.4 as 150004. */
const versionUnit = 10_000;
const closeSecondsMax = 10;

/**
 * Opens the database and migrates it. Throws Refusal INPUT_INVALID when the server cannot be reached or is too old, when the
 * database is newer than this version of Shoal, or when the data folder cannot be used; with `waiting` not for a server that is
 * away, but the signal's reason when that is aborted.
 */
export async function openDatabase(options: Options): Promise<Database> {
  const { dataFolder, exclusive = false, max, applicationName, log, waiting, stopping } = options;
  const databaseUrl = options.databaseUrl === null ? null : readDatabaseUrl(options.databaseUrl);
  const embedded =
    databaseUrl === null
      ? await openEmbedded({ dataFolder, exclusive, log, signal: waiting ?? stopping })
      : null;
  const server = embedded?.address ?? databaseUrl ?? '';
  const pools: Sql[] = [];
  const lines = new Set<Socket>();
  const openPool = (size: number): Sql => {
    const pool = connect(server, { max: size, applicationName, lines });
    pools.push(pool);
    return pool;
  };
  const openListener = (lost: () => void, purpose = 'listening'): Sql =>
    openClient(server, { max: 1, applicationName: `${applicationName} ${purpose}`, lost });
  const dropConnections = (): void => {
    for (const line of lines) line.destroy(connectionClosed());
  };
  const close = once(async () => {
    const timeout = stopping?.aborted ? 0 : closeSecondsMax;
    await Promise.all(pools.map((pool) => pool.end({ timeout })));
    await embedded?.release();
  });
  try {
    const sql = openPool(max);
    const prepare = async (): Promise<void> => {
      if (databaseUrl !== null) await checkServer(sql, databaseUrl);
      await migrate(sql);
    };
    await (waiting ? whenBack(prepare, log, waiting) : prepare());
    return { sql, openPool, openListener, dropConnections, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Tries again and again while the server is away. Throws the signal's reason when it is aborted. */
async function whenBack(run: () => Promise<void>, log: Logger, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      signal.throwIfAborted();
      const cause = error instanceof Refusal ? error.cause : error;
      if (!(error instanceof Error && isAway(cause))) throw error;
      const pauseMs = retryPausesMs[Math.min(attempt, retryPausesMs.length - 1)] ?? 0;
      log.warn(`${error.message}. Next attempt in ${pauseMs / secondMs} s`);
      await pause(pauseMs, null, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

async function checkServer(sql: Sql, databaseUrl: string): Promise<void> {
  const { version, encoding } = await readServer(sql, databaseUrl);
  if (version < versionMin * versionUnit) {
    throw new Refusal(
      'INPUT_INVALID',
      `The PostgreSQL server ${placeOf(databaseUrl)} is of version ${Math.floor(version / versionUnit)}; Shoal needs ${versionMin} or newer.`,
    );
  }
  if (encoding === 'UTF8') return;
  throw new Refusal(
    'INPUT_INVALID',
    `The database ${placeOf(databaseUrl)} is encoded in ${encoding}; Shoal needs UTF8. Make another one: create database shoal encoding 'UTF8' locale 'C' template template0`,
  );
}

async function readServer(sql: Sql, databaseUrl: string): Promise<{ version: number; encoding: string }> {
  try {
    const [row] = await sql<{ version: number; encoding: string }[]>`
      select current_setting('server_version_num')::integer as version,
        current_setting('server_encoding') as encoding`;
    return row ?? { version: 0, encoding: '' };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal(
      'INPUT_INVALID',
      `The PostgreSQL server ${placeOf(databaseUrl)} of DATABASE_URL ${isAway(error) ? 'does not answer' : 'does not let Shoal in'}: ${reason}`,
      { cause: error },
    );
  }
}
