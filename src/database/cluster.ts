/**
 * A PostgreSQL cluster in a folder: made, started, stopped, and found out about when somebody else runs it.
 *
 * The folder may be left in any state: by a kill -9 of whoever started the server, of the server, or of both, and by
 * processes that do the same at the same time. PostgreSQL's own locks (postmaster.pid and its shared memory) decide who
 * runs; nothing here weakens them.
 */
import { spawn } from 'node:child_process';
import {
  access,
  chown,
  copyFile,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { SystemUser } from './system-user.ts';

/** A cluster's folder, the folder of `initdb`, `pg_ctl` and `postgres`, and the user they run as (null: this process's). */
export type Cluster = { folder: string; programs: string; user: SystemUser | null };

/** Where a server listens: an IP address, or the folder of its unix socket, and the port. */
export type Listening = { host: string; port: number };

/** What hinders now and passes by itself: another process is starting or stopping the server, or a dead one's rest lingers. */
export class NotYet extends Error {}

export const superuser = 'shoal';
const startSecondsMax = 300;
const stopSecondsMax = 120;
const logBytesMax = 8 * 1024 * 1024;
/** Larger than any system's process numbers. */
const nobodysPid = 2_147_483_647;

/**
 * Makes the cluster when there is none in its folder. Safe to repeat and from several processes at once: it is made in a
 * folder beside, and moved into place when it is whole.
 */
export async function createCluster(
  cluster: Cluster,
  password: string,
  initdbArguments: string[],
): Promise<void> {
  if (await isCluster(cluster.folder)) return;
  const beside = await mkdtemp(`${cluster.folder}-new-`);
  const passwordFile = join(beside, 'password');
  const made = join(beside, 'cluster');
  try {
    await writeFile(passwordFile, password, { mode: 0o600 });
    await give(cluster.user, beside, passwordFile);
    const own = ['--pgdata', made, '--username', superuser, '--pwfile', passwordFile, '--encoding', 'UTF8'];
    await run(cluster, 'initdb', [
      ...own,
      '--auth',
      'scram-sha-256',
      '--no-instructions',
      ...initdbArguments,
    ]);
    await rename(made, cluster.folder);
  } catch (error) {
    if (!(await isCluster(cluster.folder))) throw error;
  }
  await removeUnfinished(cluster.folder);
}

/** Where the cluster's server listens; null when none runs. Throws NotYet when it is about to listen. */
export async function findServer({ folder }: Cluster): Promise<Listening | null> {
  const postmaster = await readPostmaster(folder);
  if (postmaster === null || !(await isServerOf(folder, postmaster.pid))) return null;
  if (postmaster.listening === null) throw new NotYet('PostgreSQL is starting.');
  return postmaster.listening;
}

/**
 * Starts the cluster's server with the settings, and waits until it answers. It is a process of its own that outlives this
 * one and hears nothing of the terminal. Throws NotYet when another process is quicker, or a killed server's processes have
 * not ended yet; any other error says what PostgreSQL wrote.
 */
export async function startServer(
  cluster: Cluster,
  settings: Record<string, string | number>,
): Promise<void> {
  await disownPostmaster(cluster);
  await replaceFile(cluster, 'postgresql.conf', renderSettings(settings));
  await boundLog(cluster);
  const log = logOf(cluster);
  const before = await sizeOf(log);
  try {
    const seconds = String(startSecondsMax);
    await run(cluster, 'pg_ctl', ['start', '-s', '-w', '-t', seconds, '-D', cluster.folder, '-l', log]);
  } catch (error) {
    const told = (await readFile(log, 'utf8').catch(() => '')).slice(before).trim();
    if (/lock file|shared memory block/.test(told)) throw new NotYet(told);
    throw new Error(`PostgreSQL did not start: ${told || log}`, { cause: error });
  }
}

/** Stops the cluster's server: connections are ended, everything is written. */
export async function stopServer(cluster: Cluster): Promise<void> {
  const seconds = String(stopSecondsMax);
  await run(cluster, 'pg_ctl', ['stop', '-s', '-w', '-t', seconds, '-m', 'fast', '-D', cluster.folder]);
}

/** Keeps the server's log bounded: one that has grown too long becomes the old one, in place of the old one before. */
export async function boundLog(cluster: Cluster): Promise<void> {
  const log = logOf(cluster);
  if ((await sizeOf(log)) <= logBytesMax) return;
  await copyFile(log, `${log}.old`);
  await give(cluster.user, `${log}.old`);
  // The server appends, so it goes on at the new end.
  await truncate(log);
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

type Postmaster = { pid: number; lines: string[]; listening: Listening | null };

// Lines of postmaster.pid: pid, folder, start, port, socket folder, address, shared memory, status.
async function readPostmaster(folder: string): Promise<Postmaster | null> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  const host = lines[4] || lines[5];
  const listening = host && lines.length > 7 ? { host, port: Number(lines[3]) } : null;
  return { pid, lines, listening };
}

/** True when the process is a server of the folder, and not gone, a zombie, or another program that got its number. */
async function isServerOf(folder: string, pid: number): Promise<boolean> {
  // A server works in its folder from before it writes its pid file.
  if (process.platform === 'linux') {
    return (await readlink(`/proc/${pid}/cwd`).catch(() => null)) === (await realpath(folder));
  }
  if (!isAlive(pid) || process.platform === 'win32') return isAlive(pid);
  return (await run(null, 'ps', ['-p', String(pid), '-o', 'comm='])).includes('postgres');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * PostgreSQL takes a lock file for a running server's as long as any process has the number in it. Where that process is
 * another program or a zombie, the number in postmaster.pid is replaced; the rest stays, so that PostgreSQL still checks the
 * shared memory named there. The lock of a socket in the cluster's own folder says nothing more and just goes.
 */
async function disownPostmaster(cluster: Cluster): Promise<void> {
  const postmaster = await readPostmaster(cluster.folder);
  if (postmaster === null || !isAlive(postmaster.pid)) return;
  if (await isServerOf(cluster.folder, postmaster.pid)) throw new NotYet('PostgreSQL is starting.');
  const [, ...rest] = postmaster.lines;
  await replaceFile(cluster, 'postmaster.pid', [nobodysPid, ...rest].join('\n'));
  await rm(join(cluster.folder, `.s.PGSQL.${rest[2]}.lock`), { force: true });
}

function renderSettings(settings: Record<string, string | number>): string {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'`,
  );
  return [
    '# Written by Shoal at every start. Settings of your own belong into local.conf beside this file.',
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
    () => false,
  );
}

// What a killed process left. One that is still at it fails, finds the cluster made, and goes on with that.
async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(dirname(folder))) {
    if (!name.startsWith(`${basename(folder)}-new-`)) continue;
    await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}

/** Runs one of the cluster's programs (null: of the system) and gives what it printed; throws with that when it fails. */
function run(cluster: Cluster | null, program: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(cluster ? join(cluster.programs, program) : program, args, {
      ...cluster?.user,
      // A session of its own: Ctrl-C in the terminal is for Shoal, which then closes in order.
      detached: true,
      windowsHide: true,
      cwd: '/',
      env: serverEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        out += text;
      });
    }
    child.on('error', reject).on('close', (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${program} ended with code ${code}. ${out.trim()}`));
    });
  });
}

// The server lives longer than this process and keeps nothing of its environment, which may hold secrets.
function serverEnvironment(): Record<string, string> {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMP'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}
