/**
 * A PostgreSQL cluster in a folder: creates it, starts and stops its server, and finds a running one.
 *
 * The folder may be in any state after a `kill -9` of the server, of the process that started it, or of both. The caller holds
 * the folder's lock while it starts or stops the server (folder-lock.ts). A server whose container this process cannot see is
 * found by its life sign (life-sign.ts).
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
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { isAlive, makeLifeSign, withLifeSign } from './life-sign.ts';
import { type Listening, readPostmaster } from './postmaster.ts';
import { runProgram } from './server-program.ts';
import type { SystemUser } from './system-user.ts';
import { namingEnvironment } from './user-name.ts';

/** A cluster's folder, the folder of `initdb`, `pg_ctl` and `postgres`, and the user they run as (null: this process's). */
export type Cluster = { folder: string; programs: string; user: SystemUser | null };

/** A running server. `here`: among the processes that this one sees, so that this one can stop it. */
export type Server = Listening & { here: boolean };
export type Settings = Readonly<Record<string, string | number>>;

/** The server cannot be used or started now, and the cause passes by itself. */
export class NotYet extends Error {}

export const superuser = 'shoal';
const startSecondsMax = 300;
const stopSecondsMax = 120;
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
    const options = [
      ...['--pgdata', made, '--username', superuser, '--pwfile', passwordFile],
      ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-instructions', ...initdbArguments],
    ];
    await runProgram(cluster, 'initdb', options, { env: await namingEnvironment(beside) });
    await replaceFile({ ...cluster, folder: made }, 'local.conf', '# Settings of your own for PostgreSQL.\n');
    await rename(made, cluster.folder);
  } catch (error) {
    if (!(await isCluster(cluster.folder))) throw error;
  } finally {
    await rm(beside, { recursive: true, force: true, maxRetries: 3 });
  }
  await removeUnfinished(cluster.folder);
}

/**
 * Finds the cluster's server; null when no process of a server lives, so that a new one may be started. Throws NotYet while one
 * starts or ends.
 */
export async function findServer({ folder }: Pick<Cluster, 'folder'>): Promise<Server | null> {
  const postmaster = await readPostmaster(folder);
  const listening = postmaster?.listening;
  if (postmaster?.runsHere && listening) return { ...listening, here: true };
  const alive = isAlive(lifeSignOf(folder));
  if (listening && (alive || (await acceptsOnSocket(listening)))) return { ...listening, here: false };
  if (alive || postmaster?.runsHere) throw new NotYet('PostgreSQL is starting or ending.');
  return null;
}

/**
 * Starts the cluster's server with the settings, and waits until it answers. It is a process of its own that outlives this
 * one and is detached from the terminal. The caller holds the folder's lock and has found no server. Throws NotYet while
 * processes of a killed server remain; any other error shows PostgreSQL's output.
 */
export async function startServer(cluster: Cluster, settings: Settings): Promise<void> {
  const lifeSign = lifeSignOf(cluster.folder);
  await makeLifeSign(lifeSign, cluster.user);
  await removeLocks(cluster, settings);
  await replaceFile(cluster, 'postgresql.conf', renderSettings(settings));
  await boundLog(cluster);
  const log = logOf(cluster);
  const sizeBefore = await sizeOf(log);
  const startArguments = ['start', '-sw', '-t', String(startSecondsMax), '-D', cluster.folder, '-l', log];
  try {
    await withLifeSign(lifeSign, (inherited) => runProgram(cluster, 'pg_ctl', startArguments, { inherited }));
  } catch (error) {
    const output = (await readFile(log).catch(() => Buffer.alloc(0))).subarray(sizeBefore).toString().trim();
    if (/lock file|shared memory block/.test(output)) throw new NotYet(output);
    throw new Error(`PostgreSQL did not start: ${output || log}`, { cause: error });
  }
}

/**
 * Stops the cluster's server if it runs here, and waits until it has ended: connections are ended, everything is written. The
 * caller holds the folder's lock. Throws when the server has not ended after 2 minutes.
 */
export async function stopServer(cluster: Cluster): Promise<void> {
  if (!(await readPostmaster(cluster.folder))?.runsHere) return;
  const seconds = String(stopSecondsMax);
  await runProgram(cluster, 'pg_ctl', ['stop', '-sw', '-t', seconds, '-m', 'fast', '-D', cluster.folder]);
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
 * PostgreSQL takes a dead server's lock files for a live one's while any process has its number: a zombie, another program, or
 * in a new container almost any. The number in postmaster.pid is then replaced; the rest stays, so that PostgreSQL still checks
 * the shared memory named there. The lock file of a socket in the cluster's own folder adds nothing to that and is removed.
 */
async function removeLocks(cluster: Cluster, { port }: Settings): Promise<void> {
  const postmaster = await readPostmaster(cluster.folder);
  if (postmaster?.numberTaken) await replaceFile(cluster, 'postmaster.pid', postmaster.disowned);
  await rm(join(cluster.folder, `.s.PGSQL.${port}.lock`), { force: true });
}

/** Whether a server accepts connections on its unix socket. It finds servers without a life sign, such as one started by hand. */
function acceptsOnSocket({ host, port }: Listening): Promise<boolean> {
  if (!host.startsWith('/')) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect(join(host, `.s.PGSQL.${port}`));
    const answer = (accepts: boolean) => () => {
      socket.destroy();
      resolve(accepts);
    };
    socket.on('connect', answer(true)).on('error', answer(false));
  });
}

function lifeSignOf(folder: string): string {
  return `${folder}.alive`;
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
