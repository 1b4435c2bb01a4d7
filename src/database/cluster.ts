/**
 * A PostgreSQL cluster in a folder: made, started, stopped, and found when somebody else runs it.
 *
 * The folder may be left in any state: by a kill -9 of whoever started the server, of the server, or of both, and by
 * processes that do the same at the same time. PostgreSQL's own locks (postmaster.pid and its shared memory) decide who
 * runs; nothing here weakens them.
 */
import {
  access,
  chown,
  copyFile,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Listening, readPostmaster } from './postmaster.ts';
import { runProgram } from './server-program.ts';
import type { SystemUser } from './system-user.ts';

/** A cluster's folder, the folder of `initdb`, `pg_ctl` and `postgres`, and the user they run as (null: this process's). */
export type Cluster = { folder: string; programs: string; user: SystemUser | null };

export type { Listening };
export type Settings = Readonly<Record<string, string | number>>;

/** What hinders now and passes by itself: another process is starting or stopping the server, or a dead one's rest lingers. */
export class NotYet extends Error {}

export const superuser = 'shoal';
const startSecondsMax = 300;
/** 2 minutes together. */
const stopLooksMax = 2_400;
const stopLookPauseMs = 50;
const logBytesMax = 8 * 1024 * 1024;

/**
 * Makes the cluster when there is none in its folder. Safe to repeat and from several processes at once: it is made in a
 * folder beside, and moved into place when it is whole.
 */
export async function createCluster(
  cluster: Cluster,
  { password, initdbArguments }: { password: string; initdbArguments: readonly string[] },
): Promise<void> {
  if (await isCluster(cluster.folder)) return;
  const beside = await mkdtemp(`${cluster.folder}-new-`);
  const passwordFile = join(beside, 'password');
  const made = join(beside, 'cluster');
  try {
    await writeFile(passwordFile, password, { mode: 0o600 });
    await give(cluster.user, beside, passwordFile);
    await runProgram(cluster, 'initdb', [
      ...['--pgdata', made, '--username', superuser, '--pwfile', passwordFile],
      ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-instructions', ...initdbArguments],
    ]);
    await replaceFile({ ...cluster, folder: made }, 'local.conf', '# Settings of your own for PostgreSQL.\n');
    await rename(made, cluster.folder);
  } catch (error) {
    if (!(await isCluster(cluster.folder))) throw error;
  } finally {
    await rm(beside, { recursive: true, force: true, maxRetries: 3 });
  }
  await removeUnfinished(cluster.folder);
}

/** Where the cluster's server listens; null when none runs. Throws NotYet when it is about to listen. */
export async function findServer({ folder }: Cluster): Promise<Listening | null> {
  const postmaster = await readPostmaster(folder);
  if (!postmaster?.runs) return null;
  if (postmaster.listening === null) throw new NotYet('PostgreSQL is starting.');
  return postmaster.listening;
}

/**
 * Starts the cluster's server with the settings, and waits until it answers. It is a process of its own that outlives this
 * one and hears nothing of the terminal. Throws NotYet when another process is quicker, or when processes of a killed server
 * have not ended yet; any other error says what PostgreSQL wrote.
 */
export async function startServer(cluster: Cluster, settings: Settings): Promise<void> {
  await removeLocks(cluster, settings);
  await replaceFile(cluster, 'postgresql.conf', renderSettings(settings));
  await boundLog(cluster);
  const log = logOf(cluster);
  const before = await sizeOf(log);
  const seconds = String(startSecondsMax);
  try {
    await runProgram(cluster, 'pg_ctl', ['start', '-sw', '-t', seconds, '-D', cluster.folder, '-l', log]);
  } catch (error) {
    const told = (await readFile(log).catch(() => Buffer.alloc(0))).subarray(before).toString().trim();
    if (/lock file|shared memory block/.test(told)) throw new NotYet(told);
    // Another process has begun to start it: its server has made the file and not written into it yet.
    if (error instanceof Error && /PID file .* is empty/.test(error.message)) throw new NotYet(error.message);
    throw new Error(`PostgreSQL did not start: ${told || log}`, { cause: error });
  }
}

/**
 * Stops the cluster's server and waits until it has ended: connections are ended, everything is written. Throws when none
 * runs, or when it has not ended after 2 minutes.
 */
export async function stopServer(cluster: Cluster): Promise<void> {
  const stopping = await readPostmaster(cluster.folder);
  await runProgram(cluster, 'pg_ctl', ['stop', '-sW', '-m', 'fast', '-D', cluster.folder]);
  // pg_ctl would wait for any server to end, also for one that another process has started in the meantime.
  for (let look = 0; look < stopLooksMax; look++) {
    const now = await readPostmaster(cluster.folder);
    if (!now?.runs || now.number !== stopping?.number) return;
    await pause(stopLookPauseMs);
  }
  throw new Error('PostgreSQL did not stop within 2 minutes.');
}

/** Keeps the server's log bounded: one that has grown too long takes the place of the old one before. */
export async function boundLog(cluster: Cluster): Promise<void> {
  const log = logOf(cluster);
  if ((await sizeOf(log)) <= logBytesMax) return;
  await copyFile(log, `${log}.old`);
  await give(cluster.user, `${log}.old`);
  // The server appends, so it goes on at the new end.
  await truncate(log);
}

/**
 * PostgreSQL takes a dead server's locks for a living one's as long as any process has its number, be it a zombie or another
 * program. Then the number in postmaster.pid is replaced; the rest stays, so that PostgreSQL still checks the shared memory
 * named there. The lock of a socket in the cluster's own folder adds nothing to that and goes.
 */
async function removeLocks(cluster: Cluster, { port }: Settings): Promise<void> {
  const postmaster = await readPostmaster(cluster.folder);
  if (postmaster?.runs) throw new NotYet('PostgreSQL is starting.');
  if (postmaster?.numberTaken) await replaceFile(cluster, 'postmaster.pid', postmaster.disowned);
  await rm(join(cluster.folder, `.s.PGSQL.${port}.lock`), { force: true });
}

function renderSettings(settings: Settings): string {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'`,
  );
  return [
    '# Written by Shoal at every start. Settings of your own belong into local.conf, which stays as you write it.',
    ...lines,
    "include_if_exists = 'local.conf'",
    '',
  ].join('\n');
}

async function replaceFile(cluster: Cluster, name: string, text: string): Promise<void> {
  const path = join(cluster.folder, name);
  const next = `${path}-${process.pid}`;
  await writeFile(next, text, { mode: 0o600 });
  await give(cluster.user, next);
  await rename(next, path);
}

async function give(user: SystemUser | null, ...paths: string[]): Promise<void> {
  if (user === null) return;
  for (const path of paths) await chown(path, user.uid, user.gid);
}

async function isCluster(folder: string): Promise<boolean> {
  return access(join(folder, 'PG_VERSION')).then(
    () => true,
    (error) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

// What a killed process left. One that is still at it fails, finds the cluster made, and clears away its own.
async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(dirname(folder))) {
    if (!name.startsWith(`${basename(folder)}-new-`)) continue;
    await rm(join(dirname(folder), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function logOf({ folder }: Cluster): string {
  return join(folder, 'server.log');
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
