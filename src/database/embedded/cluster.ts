/**
 * A PostgreSQL cluster in a folder: creates it, starts and stops its server, and finds a running one.
 *
 * The folder may be in any state after a `kill -9` of the server, of the process that started it, or of both. The caller holds
 * the folder's lock while it starts or stops the server (folder-lock.ts). A server whose container this process cannot see is
 * found by its life sign (life-sign.ts).
 */
import { statSync } from 'node:fs';
import {
  chown,
  copyFile,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
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

/** A cluster's folder, the folder of `initdb`, `pg_ctl` and `postgres`, and the system user (null: that of this process). */
export type Cluster = { folder: string; programs: string; user: SystemUser | null };

/** A running server. `here`: this process can see and stop it. Otherwise it is in another container. */
export type Server = Listening & { here: boolean };
export type Settings = Readonly<Record<string, string | number>>;

/** The server cannot be used or started now. The cause is temporary. */
export class NotYet extends Error {}

export const superuser = 'shoal';
const startSecondsMax = 300;
const stopSecondsMax = 120;
const logBytesMax = 8 * 1024 * 1024;

/**
 * Creates the cluster if its folder has none. Safe to repeat and from several processes at the same time: it is created in a
 * temporary folder, which is renamed when it is complete.
 */
export async function createCluster(
  cluster: Cluster,
  { password, initdbArguments }: { password: string; initdbArguments: readonly string[] },
): Promise<void> {
  if (isCluster(cluster.folder)) return;
  const temporary = await mkdtemp(`${cluster.folder}-new-`);
  const passwordFile = join(temporary, 'password');
  const created = join(temporary, 'cluster');
  try {
    await writeFile(passwordFile, password, { mode: 0o600 });
    await setOwner(cluster.user, temporary, passwordFile);
    const options = [
      ...['--pgdata', created, '--username', superuser, '--pwfile', passwordFile],
      ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-instructions', ...initdbArguments],
    ];
    await runProgram(cluster, 'initdb', options, { env: await namingEnvironment(temporary) });
    await replaceFile({ ...cluster, folder: created }, 'local.conf', '# Your own settings for PostgreSQL.\n');
    await rename(created, cluster.folder);
  } catch (error) {
    if (!isCluster(cluster.folder)) throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
  }
  await removeTemporary(cluster.folder);
}

/**
 * Finds the cluster's server. Null: no server process is alive, so a new one can be started. Throws NotYet while one starts or ends.
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
 * Starts the cluster's server with the settings, and waits until it answers. The server is detached from the terminal, and continues
 * after the end of this process. The caller holds the folder's lock and has found no server. Throws NotYet while processes of a
 * killed server remain. Other errors contain PostgreSQL's output.
 */
export async function startServer(cluster: Cluster, settings: Settings): Promise<void> {
  const lifeSign = lifeSignOf(cluster.folder);
  await makeLifeSign(lifeSign, cluster.user);
  await removeLocks(cluster, settings);
  await replaceFile(cluster, 'postgresql.conf', renderSettings(settings));
  await boundLog(cluster);
  const log = logOf(cluster);
  const sizeBefore = sizeOf(log);
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
 * Stops the cluster's server if this process can see it, and waits until it has closed its connections and written its data. The
 * caller holds the folder's lock. Throws if the server has not ended after 2 minutes.
 */
export async function stopServer(cluster: Cluster): Promise<void> {
  if (!(await readPostmaster(cluster.folder))?.runsHere) return;
  const seconds = String(stopSecondsMax);
  await runProgram(cluster, 'pg_ctl', ['stop', '-sw', '-t', seconds, '-m', 'fast', '-D', cluster.folder]);
}

/** Bounds the size of the server's log: a large log replaces the previous one. */
export async function boundLog(cluster: Cluster): Promise<void> {
  const log = logOf(cluster);
  if (sizeOf(log) <= logBytesMax) return;
  await copyFile(log, `${log}.old`);
  await setOwner(cluster.user, `${log}.old`);
  // The server appends, so it continues at the new end.
  await truncate(log);
}

/**
 * PostgreSQL treats the lock files of a dead server as valid while any process has its number: a zombie, another program, or in a new
 * container almost any. This replaces the number in postmaster.pid. The rest stays, so that PostgreSQL still checks the shared memory
 * named there. The socket's lock file in the cluster's own folder is redundant, and is deleted.
 */
async function removeLocks(cluster: Cluster, { port }: Settings): Promise<void> {
  const postmaster = await readPostmaster(cluster.folder);
  if (postmaster?.numberTaken) await replaceFile(cluster, 'postmaster.pid', postmaster.disowned);
  await rm(join(cluster.folder, `.s.PGSQL.${port}.lock`), { force: true });
}

/** True if a server accepts connections on its unix socket. Finds servers without a life sign, such as one started manually. */
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
    '# Written by Shoal at every start. Put your own settings into local.conf, which Shoal does not change.',
    ...lines,
    "include_if_exists = 'local.conf'",
    '',
  ].join('\n');
}

async function replaceFile(cluster: Cluster, name: string, text: string): Promise<void> {
  const path = join(cluster.folder, name);
  const next = `${path}-${process.pid}`;
  await writeFile(next, text, { mode: 0o600 });
  await setOwner(cluster.user, next);
  await rename(next, path);
}

async function setOwner(user: SystemUser | null, ...paths: string[]): Promise<void> {
  if (user === null) return;
  for (const path of paths) await chown(path, user.uid, user.gid);
}

function isCluster(folder: string): boolean {
  return statSync(join(folder, 'PG_VERSION'), { throwIfNoEntry: false }) !== undefined;
}

// Deletes folders of killed processes. A process that still runs fails, finds the created cluster, and deletes its own folder.
async function removeTemporary(folder: string): Promise<void> {
  for (const name of await readdir(dirname(folder))) {
    if (!name.startsWith(`${basename(folder)}-new-`)) continue;
    await rm(join(dirname(folder), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function logOf({ folder }: Cluster): string {
  return join(folder, 'server.log');
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
