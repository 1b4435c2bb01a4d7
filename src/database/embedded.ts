/**
 * The embedded PostgreSQL, shared by every process that uses the data folder.
 *
 * Who comes first starts it, who leaves last stops it. Each user holds a shared advisory lock on a connection of its own, so
 * that a killed one lets go by itself; who gets the lock alone is the last. A user that loses its connection, because the
 * server was killed, starts the server again and takes its lock anew; its pools reconnect by themselves.
 */
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Refusal } from '../errors.ts';
import { minuteMs } from '../time.ts';
import { boundLog, type Cluster, findServer, NotYet, startServer, stopServer, superuser } from './cluster.ts';
import { chooseListening, openDataFolder, serverSettings } from './data-folder.ts';
import { type Address, openClient, type Sql } from './database.ts';
import type { Listening } from './postmaster.ts';

export type Embedded = { address: Address; release(): Promise<void> };

type Options = { dataFolder: string; exclusive: boolean; log: Logger };

const useLockKey = 318_004_217;
const serveLockKey = 318_004_218;
const attemptPauseMs = 200;
/** 5 minutes together: long enough for a recovery from the largest write-ahead log. */
const joinAttemptsMax = 1_500;
/** 10 s. */
const attemptsBetweenWords = 50;
/** 2 s: PostgreSQL notices a killed server's end soon, but not in the same instant. */
const serveAttemptsMax = 10;
const rejoinPauseMs = 1_000;
const goodbyeSecondsMax = 1;
const logCheckMs = 10 * minuteMs;

/** What a connection meets while the server starts, stops, or has just been killed. */
const passingCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'CONNECTION_CLOSED', 'CONNECT_TIMEOUT'],
  ...['57P01', '57P02', '57P03', '53300'],
]);

/**
 * Joins the users of the data folder's PostgreSQL, starting it when nobody runs it, and gives the way in. `exclusive`: takes
 * the folder as its one server, too. `release` leaves, and stops PostgreSQL when nobody else is there; safe to call twice.
 * Throws Refusal INPUT_INVALID when the folder has its server already, or when PostgreSQL cannot run there.
 */
export async function openEmbedded({ dataFolder, exclusive, log }: Options): Promise<Embedded> {
  const folder = resolve(dataFolder);
  const { cluster, password } = await openDataFolder(folder);
  const membership = new Membership(cluster, password, exclusive ? folder : null, log);
  const address = await membership.join();
  const logCheck = setInterval(() => void boundLog(cluster), logCheckMs).unref();
  const release = (): Promise<void> => {
    clearInterval(logCheck);
    return membership.leave();
  };
  return { address, release };
}

/** One user's share in the cluster: the connection that holds its locks. */
class Membership {
  readonly #cluster: Cluster;
  readonly #password: string;
  readonly #servedFolder: string | null;
  readonly #log: Logger;
  #sql: Sql | null = null;
  #rejoining: Promise<void> | null = null;
  #leaving: Promise<void> | null = null;

  constructor(cluster: Cluster, password: string, servedFolder: string | null, log: Logger) {
    this.#cluster = cluster;
    this.#password = password;
    this.#servedFolder = servedFolder;
    this.#log = log;
  }

  async join(): Promise<Address> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#enter();
      } catch (error) {
        if (!(error instanceof NotYet) || attempt === joinAttemptsMax || this.#leaving) throw error;
        if (attempt % attemptsBetweenWords === 0) this.#log.warn(`waiting for PostgreSQL: ${error.message}`);
      }
      await pause(attemptPauseMs);
    }
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  async #enter(): Promise<Address> {
    const listening = (await findServer(this.#cluster)) ?? (await start(this.#cluster, this.#log));
    const address = { ...listening, user: superuser, password: this.#password, database: 'postgres' };
    let lost = false;
    const sql = openClient(address, {
      max: 1,
      applicationName: 'shoal lock',
      lost: () => {
        lost = true;
        if (this.#sql === sql) this.#lose();
      },
    });
    try {
      await takeLocks(sql, this.#servedFolder);
      if (lost) throw new NotYet('The connection that held the locks was lost.');
      this.#sql = sql;
      return address;
    } catch (error) {
      await sql.end({ timeout: 0 });
      throw isPassing(error) ? new NotYet(error.message, { cause: error }) : error;
    }
  }

  #lose(): void {
    void this.#sql?.end({ timeout: 0 });
    this.#sql = null;
    if (this.#leaving) return;
    this.#log.warn('the embedded PostgreSQL is gone; it is started again');
    this.#rejoining = this.#rejoin();
  }

  // As long as this process lives: nobody else looks after the server.
  async #rejoin(): Promise<void> {
    while (!this.#leaving) {
      try {
        await this.join();
        this.#log.warn('the embedded PostgreSQL is back');
        return;
      } catch (error) {
        this.#log.error({ err: error }, 'the embedded PostgreSQL could not be started again');
      }
      await pause(rejoinPauseMs);
    }
  }

  async #leave(): Promise<void> {
    await this.#rejoining;
    const sql = this.#sql;
    if (sql === null) return;
    try {
      // Let go first: two that hold the shared lock and leave together would each see the other, and nobody would stop it.
      await sql`select pg_advisory_unlock_all()`;
      if (await tryLock(sql, useLockKey)) await stopServer(this.#cluster);
    } catch (error) {
      // One that leaves at the same time may stop the server first.
      if (!isPassing(error))
        this.#log.warn({ err: error }, 'the embedded PostgreSQL was not stopped in order');
    } finally {
      await sql.end({ timeout: goodbyeSecondsMax });
    }
  }
}

async function start(cluster: Cluster, log: Logger): Promise<Listening> {
  log.info('starting the embedded PostgreSQL');
  const listening = await chooseListening(cluster);
  await startServer(cluster, serverSettings(listening));
  return listening;
}

async function takeLocks(sql: Sql, servedFolder: string | null): Promise<void> {
  const [row] = await sql<{ shared: boolean }[]>`select pg_try_advisory_lock_shared(${useLockKey}) as shared`;
  if (!row?.shared) throw new NotYet('Its last user is stopping PostgreSQL.');
  if (servedFolder === null) return;
  for (let attempt = 1; !(await tryLock(sql, serveLockKey)); attempt++) {
    if (attempt === serveAttemptsMax) {
      throw new Refusal(
        'INPUT_INVALID',
        `Another shoal serve is running on the data folder ${servedFolder}. Stop it first, or give this one a folder of its own with --data.`,
      );
    }
    await pause(attemptPauseMs);
  }
}

async function tryLock(sql: Sql, key: number): Promise<boolean> {
  const [row] = await sql<{ taken: boolean }[]>`select pg_try_advisory_lock(${key}) as taken`;
  return row?.taken === true;
}

function isPassing(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && passingCodes.has(String(error.code));
}
