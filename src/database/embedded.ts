/**
 * The embedded PostgreSQL, shared by every process that uses the data folder.
 *
 * Who comes first starts it, who leaves last stops it. Each user holds a shared advisory lock on a connection of its own, so
 * that a killed one lets go by itself; who gets the lock alone is the last. A user that loses its connection, because the
 * server was killed, starts the server again and takes its lock anew; its pools reconnect by themselves. That there is one
 * `serve` is a lock of its own, outside PostgreSQL (serve-lock.ts).
 */
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Refusal } from '../errors.ts';
import { once } from '../once.ts';
import { minuteMs } from '../time.ts';
import { boundLog, type Cluster, findServer, NotYet, startServer, stopServer, superuser } from './cluster.ts';
import { chooseListening, openDataFolder, serverSettings } from './data-folder.ts';
import { type Address, openClient, type Sql } from './database.ts';
import type { Listening } from './postmaster.ts';
import { takeServeLock } from './serve-lock.ts';

export type Embedded = { address: Address; release(): Promise<void> };

type Options = { dataFolder: string; exclusive: boolean; log: Logger };

const useLockKey = 318_004_217;
const attemptPauseMs = 200;
/** 5 minutes together: long enough for a recovery from the largest write-ahead log. */
const joinAttemptsMax = 1_500;
/** 10 s. */
const attemptsBetweenWords = 50;
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
  const freeFolder = exclusive ? becomeServer(folder) : null;
  try {
    const membership = new Membership(cluster, password, log);
    const address = await membership.join();
    const logCheck = setInterval(() => void boundLog(cluster), logCheckMs).unref();
    const release = once(async () => {
      clearInterval(logCheck);
      await membership.leave();
      freeFolder?.();
    });
    return { address, release };
  } catch (error) {
    freeFolder?.();
    throw error;
  }
}

function becomeServer(folder: string): () => void {
  const freeFolder = takeServeLock(folder);
  if (freeFolder) return freeFolder;
  throw new Refusal(
    'INPUT_INVALID',
    `Another shoal serve is running on the data folder ${folder}. Stop it first, or give this one a folder of its own with --data.`,
  );
}

/** One user's share in the cluster: the connection that holds its lock. */
class Membership {
  readonly #cluster: Cluster;
  readonly #password: string;
  readonly #log: Logger;
  #sql: Sql | null = null;
  #rejoining: Promise<void> | null = null;
  #leaving = false;

  constructor(cluster: Cluster, password: string, log: Logger) {
    this.#cluster = cluster;
    this.#password = password;
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

  async leave(): Promise<void> {
    this.#leaving = true;
    await this.#rejoining;
    const sql = this.#sql;
    if (sql === null) return;
    try {
      // Let go first: two that hold the shared lock and leave together would each see the other, and nobody would stop it.
      await sql`select pg_advisory_unlock_all()`;
      const [row] = await sql<{ alone: boolean }[]>`select pg_try_advisory_lock(${useLockKey}) as alone`;
      if (row?.alone) await stopServer(this.#cluster);
    } catch (error) {
      // One that leaves at the same time may stop the server first.
      if (!isPassing(error))
        this.#log.warn({ err: error }, 'the embedded PostgreSQL was not stopped in order');
    } finally {
      await sql.end({ timeout: goodbyeSecondsMax });
    }
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
      await takeUseLock(sql);
      if (lost) throw new NotYet('The connection that held the lock was lost.');
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
}

async function start(cluster: Cluster, log: Logger): Promise<Listening> {
  log.info('starting the embedded PostgreSQL');
  const listening = await chooseListening(cluster);
  await startServer(cluster, serverSettings(listening));
  return listening;
}

async function takeUseLock(sql: Sql): Promise<void> {
  const [row] = await sql<{ shared: boolean }[]>`select pg_try_advisory_lock_shared(${useLockKey}) as shared`;
  if (!row?.shared) throw new NotYet('Its last user is stopping PostgreSQL.');
}

function isPassing(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && passingCodes.has(String(error.code));
}
