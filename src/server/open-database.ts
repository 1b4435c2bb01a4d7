/**
 * Opens and migrates the database: the PostgreSQL server of DATABASE_URL, or the embedded one in the data folder.
 */
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Address, connectionClosed, openClient, type Sql } from '../database/client.ts';
import { placeOf, readDatabaseUrl } from '../database/database-url.ts';
import { openEmbedded } from '../database/embedded/embedded.ts';
import { type MigrationProgress, migrate } from '../database/migrate.ts';
import { attachNodes, readServers, type Servers } from '../database/nodes.ts';
import { isAway } from '../database/outage.ts';
import { connect } from '../database/pool.ts';
import { Refusal } from '../errors.ts';
import { once } from '../once.ts';
import { secondMs } from '../time.ts';

export type Database = {
  sql: Sql;
  /** Opens another pool, which is closed with the database. */
  openPool(max: number): Sql;
  /** Opens a client for LISTEN. The caller ends it. `lost` is called at the first sign that its connection ends. */
  openListener(lost: () => void, purpose?: string): Sql;
  /** Drops all connections of the pools. Running queries fail, and later ones use new connections. */
  dropConnections(): void;
  /** Waits for running queries, at most 10 s. Safe to call twice. */
  close(): Promise<void>;
};

type Options = {
  /** Null: the embedded PostgreSQL. */
  databaseUrl: string | null;
  dataFolder: string;
  /** Fail if the data folder has another server. Any number of servers may share a DATABASE_URL. */
  exclusive?: boolean;
  max: number;
  applicationName: string;
  log: Logger;
  /** Wait for an unavailable server until this is aborted. Without a signal, such a server is refused. */
  waiting?: AbortSignal | undefined;
  /** Default: true. Without it, the schema stays as it is. */
  migrates?: boolean;
  /** When aborted, the wait for the embedded server ends, and `close` cancels running queries. */
  stopping?: AbortSignal | undefined;
};

/** The pauses between attempts to reach an unavailable server. The last one repeats. */
const retryPausesMs = [500, 1_000, 2_000, 5_000];
const versionMin = 15;
/** PostgreSQL reports 15.4 as 150004. */
const versionUnit = 10_000;
const closeSecondsMax = 10;

/**
 * Opens and migrates the database. Throws Refusal INPUT_INVALID if the server is unavailable or too old, the database is newer than
 * this version of Shoal, or the data folder cannot be used. With `waiting` it waits for an unavailable server, and throws the
 * signal's reason when that is aborted.
 */
export async function openDatabase(options: Options): Promise<Database> {
  const {
    dataFolder,
    exclusive = false,
    max,
    applicationName,
    log,
    waiting,
    stopping,
    migrates = true,
  } = options;
  const databaseUrl = options.databaseUrl === null ? null : readDatabaseUrl(options.databaseUrl);
  const embedded =
    databaseUrl === null
      ? await openEmbedded({ dataFolder, exclusive, log, signal: waiting ?? stopping })
      : null;
  const findServers = (url: string) => reach(url, () => readServers(url));
  const { main, nodes }: Servers =
    databaseUrl === null
      ? { main: embedded?.address ?? '', nodes: new Map() }
      : await (waiting
          ? retryWhileAway(() => findServers(databaseUrl), log, waiting)
          : findServers(databaseUrl));
  const pools: Sql[] = [];
  const sockets = new Set<Socket>();
  const openPoolOf = (server: string | Address, size: number): Sql => {
    const pool = connect(server, { max: size, applicationName, sockets });
    pools.push(pool);
    return pool;
  };
  const openPool = (size: number): Sql => {
    const pool = openPoolOf(main, size);
    attachNodes(pool, new Map([...nodes].map(([name, url]) => [name, openPoolOf(url, size)])));
    return pool;
  };
  const openListener = (lost: () => void, purpose = 'listening'): Sql =>
    openClient(main, { max: 1, applicationName: `${applicationName} ${purpose}`, lost });
  const dropConnections = (): void => {
    for (const socket of sockets) socket.destroy(connectionClosed());
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
      if (migrates) await migrate(sql, undefined, logMigrations(log));
    };
    await (waiting ? retryWhileAway(prepare, log, waiting) : prepare());
    return { sql, openPool, openListener, dropConnections, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Logs each migration of an existing database. A new one runs all of them within a second. */
function logMigrations(log: Logger): MigrationProgress {
  let isNew = false;
  return (name, place, all) => {
    isNew ||= place === 1;
    if (!isNew) log.warn(`upgrading the database: migration ${name} (${place} of ${all})`);
  };
}

/** Retries while the server is unavailable. Throws the signal's reason when it is aborted. */
async function retryWhileAway<Value>(
  run: () => Promise<Value>,
  log: Logger,
  signal: AbortSignal,
): Promise<Value> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      signal.throwIfAborted();
      const cause = error instanceof Refusal ? error.cause : error;
      if (!(error instanceof Error && isAway(cause))) throw error;
      const pauseMs = retryPausesMs[Math.min(attempt, retryPausesMs.length - 1)] ?? 0;
      log.warn(`${error.message}. Retrying in ${pauseMs / secondMs} s.`);
      await pause(pauseMs, null, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

async function checkServer(sql: Sql, databaseUrl: string): Promise<void> {
  const { version, encoding } = await reach(databaseUrl, () => readServer(sql));
  if (version < versionMin * versionUnit) {
    throw new Refusal(
      'INPUT_INVALID',
      `The PostgreSQL server ${placeOf(databaseUrl)} has version ${Math.floor(version / versionUnit)}. Shoal needs ${versionMin} or newer.`,
    );
  }
  if (encoding === 'UTF8') return;
  throw new Refusal(
    'INPUT_INVALID',
    `The database ${placeOf(databaseUrl)} has the encoding ${encoding}. Shoal needs UTF8. Create another one: create database shoal encoding 'UTF8' locale 'C' template template0`,
  );
}

async function readServer(sql: Sql): Promise<{ version: number; encoding: string }> {
  const [row] = await sql<{ version: number; encoding: string }[]>`
    select current_setting('server_version_num')::integer as version,
      current_setting('server_encoding') as encoding`;
  return row ?? { version: 0, encoding: '' };
}

/** Runs the first statements. Throws Refusal INPUT_INVALID with the address if the server is unavailable. */
async function reach<Value>(databaseUrl: string, run: () => Promise<Value>): Promise<Value> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal(
      'INPUT_INVALID',
      `The PostgreSQL server ${placeOf(databaseUrl)} of DATABASE_URL ${isAway(error) ? 'is not available' : 'refuses the connection'}: ${reason}`,
      { cause: error },
    );
  }
}
