/**
 * The embedded PostgreSQL, shared by every process that uses the data folder.
 *
 * The first process starts the server and the last one stops it. A process starts or stops it only while it holds the folder's
 * lock (folder-lock.ts), and only when no process of a server lives (life-sign.ts). Each process also holds a shared lock; the
 * one that can take that lock exclusively is the last. A process that loses its connection, because the server was killed,
 * joins the next server or starts it; its pools reconnect by themselves.
 *
 * A process can use a server in another container through its socket, but cannot stop it. The processes of that container do. If
 * such a server does not answer, the process throws a Refusal with the reason.
 */
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Refusal } from '../../errors.ts';
import { usingFolder } from '../../folders.ts';
import { once } from '../../once.ts';
import { minuteMs, secondMs } from '../../time.ts';
import { type Address, openClient, type Sql } from '../client.ts';
import { isAway, isBusy } from '../outage.ts';
import {
  boundLog,
  type Cluster,
  findServer,
  NotYet,
  type Server,
  startServer,
  stopServer,
  superuser,
} from './cluster.ts';
import { chooseListening, openDataFolder, serverSettings } from './data-folder.ts';
import { tryLock, type Unlock } from './folder-lock.ts';

export type Embedded = { address: Address; release(): Promise<void> };

type Options = {
  dataFolder: string;
  exclusive: boolean;
  log: Logger;
  /** The maximum wait for a silent server in another container. */
  unreachableMsMax?: number;
  /** Ends the wait for a server. */
  signal?: AbortSignal | undefined;
};

/** Sufficient for a recovery from the largest write-ahead log. */
const joinMsMax = 5 * minuteMs;
const unreachableMsMax = 30 * secondMs;
const attemptPauseMs = 200;
const logEveryMs = 10 * secondMs;
const rejoinPauseMs = 1_000;
const lockPauseMs = 20;
const goodbyeSecondsMax = 1;
const logCheckMs = 10 * minuteMs;

/** A server in another container does not answer. */
class Unreachable extends NotYet {}

/**
 * Joins the data folder's PostgreSQL, which it starts if none runs, and returns its address. `exclusive` also takes the lock of the
 * folder's only `serve`. `release` leaves, and stops PostgreSQL unless other processes use it; safe to call twice. Throws Refusal
 * INPUT_INVALID if the folder has another `serve`, PostgreSQL cannot run there, or a server in another container does not answer.
 */
export async function openEmbedded(options: Options): Promise<Embedded> {
  const folder = resolve(options.dataFolder);
  return usingFolder(folder, () => open(folder, options));
}

async function open(folder: string, options: Options): Promise<Embedded> {
  const { cluster, password } = await openDataFolder(folder);
  const freeFolder = options.exclusive ? lockServe(folder) : null;
  const membership = new Membership(cluster, password, options);
  const logCheck = setInterval(() => void boundLog(cluster), logCheckMs).unref();
  const release = once(async () => {
    clearInterval(logCheck);
    await membership.leave();
    freeFolder?.();
  });
  try {
    return { address: await membership.join(options.signal), release };
  } catch (error) {
    await release();
    throw error;
  }
}

function lockServe(folder: string): Unlock {
  const unlock = tryLock(join(folder, 'serve.lock'), 'exclusive');
  if (unlock) return unlock;
  throw new Refusal(
    'INPUT_INVALID',
    `Another shoal serve is running on the data folder ${folder}, perhaps in another container. Stop it first, or use another folder with --data.`,
  );
}

/** The use of the cluster by one process: its locks, and the connection that detects the end of the server. */
class Membership {
  readonly #cluster: Cluster;
  readonly #password: string;
  readonly #log: Logger;
  readonly #unreachableMsMax: number;
  #share: Unlock | null = null;
  #sql: Sql | null = null;
  #rejoining: Promise<void> | null = null;
  #leaving = false;

  constructor(cluster: Cluster, password: string, options: Options) {
    this.#cluster = cluster;
    this.#password = password;
    this.#log = options.log;
    this.#unreachableMsMax = options.unreachableMsMax ?? unreachableMsMax;
  }

  async join(signal?: AbortSignal): Promise<Address> {
    const startedAt = performance.now();
    let loggedAt = startedAt;
    for (;;) {
      try {
        return await this.#enter();
      } catch (error) {
        if (!(error instanceof NotYet)) throw error;
        signal?.throwIfAborted();
        const now = performance.now();
        const msMax = error instanceof Unreachable ? this.#unreachableMsMax : joinMsMax;
        if (this.#leaving || now - startedAt > msMax) throw this.#refusal(error);
        if (now - loggedAt > logEveryMs) {
          loggedAt = now;
          this.#log.warn(`waiting for PostgreSQL: ${error.message}`);
        }
      }
      await pause(attemptPauseMs);
    }
  }

  async leave(): Promise<void> {
    this.#leaving = true;
    await this.#rejoining;
    await this.#sql?.end({ timeout: goodbyeSecondsMax });
    if (this.#share === null) return;
    this.#unshare();
    await this.#stopUnused();
  }

  async #enter(): Promise<Address> {
    const running = await findServer(this.#cluster);
    if (running?.here !== false) this.#takeShare();
    const server = running ?? (await start(this.#cluster, this.#log));
    if (!server.here) this.#unshare();
    const { host, port } = server;
    const address = { host, port, user: superuser, password: this.#password, database: 'postgres' };
    let lost = false;
    const sql = openClient(address, {
      max: 1,
      applicationName: 'shoal watch',
      lost: () => {
        lost = true;
        if (this.#sql === sql) this.#lose();
      },
    });
    try {
      await sql`select 1`;
      if (lost) throw new NotYet('The connection was lost immediately.');
      this.#sql = sql;
      return address;
    } catch (error) {
      await sql.end({ timeout: 0 });
      throw whyNot(error, server);
    }
  }

  // Not for a server in another container. Its own processes must detect when they are its last users.
  #takeShare(): void {
    this.#share ??= tryLock(`${this.#cluster.folder}.users`, 'shared');
    if (this.#share === null) throw new NotYet('Another process is stopping PostgreSQL.');
  }

  #unshare(): void {
    this.#share?.();
    this.#share = null;
  }

  async #stopUnused(): Promise<void> {
    try {
      await withLock(this.#cluster, async () => {
        const unlock = tryLock(`${this.#cluster.folder}.users`, 'exclusive');
        if (unlock === null) return;
        await stopServer(this.#cluster).finally(unlock);
      });
    } catch (error) {
      this.#log.warn({ err: error }, 'the embedded PostgreSQL could not be stopped');
    }
  }

  #lose(): void {
    void this.#sql?.end({ timeout: 0 });
    this.#sql = null;
    if (this.#leaving) return;
    this.#log.warn('the embedded PostgreSQL has ended; restarting it');
    this.#rejoining = this.#rejoin();
  }

  // Retries until the end of this process, which can be the only one left to start the server.
  async #rejoin(): Promise<void> {
    while (!this.#leaving) {
      try {
        await this.join();
        this.#log.warn('the embedded PostgreSQL runs again');
        return;
      } catch (error) {
        if (!this.#leaving) this.#log.error({ err: error }, 'the embedded PostgreSQL could not be restarted');
      }
      await pause(rejoinPauseMs);
    }
  }

  #refusal({ message }: NotYet): Refusal {
    return new Refusal(
      'INPUT_INVALID',
      `PostgreSQL cannot be used in the data folder ${dirname(this.#cluster.folder)}: ${message}`,
    );
  }
}

function start(cluster: Cluster, log: Logger): Promise<Server> {
  return withLock(cluster, async () => {
    const running = await findServer(cluster);
    if (running) return running;
    log.info('starting the embedded PostgreSQL');
    const listening = await chooseListening(cluster);
    await startServer(cluster, serverSettings(listening));
    return { ...listening, here: true };
  });
}

/** Runs with the lock for starting and stopping the server. Waits while another process holds it. */
async function withLock<T>({ folder }: Cluster, run: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    const unlock = tryLock(`${folder}.lock`, 'exclusive');
    if (unlock) return run().finally(unlock);
    if (performance.now() - startedAt > joinMsMax)
      throw new NotYet('Another process is starting or stopping PostgreSQL.');
    await pause(lockPauseMs);
  }
}

/** Converts the reason why a server could not be joined: NotYet if it is temporary. */
function whyNot(error: unknown, { here, host, port }: Server): unknown {
  if (error instanceof NotYet || !(error instanceof Error)) return error;
  if (isBusy(error) || (here && isAway(error))) return new NotYet(error.message, { cause: error });
  if (here) return error;
  return new Unreachable(
    `Its server runs in another container and does not answer at ${host}${host.startsWith('/') ? '' : `:${port}`} (${error.message}). Stop that container, or run the command in it.`,
    { cause: error },
  );
}
