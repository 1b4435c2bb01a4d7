/**
 * A PostgreSQL cluster in a folder: made, started, stopped, and found out about when somebody else runs it.
 *
 * The folder may be left in any state: by a kill -9 of whoever started the server, of the server, or of both, and by
 * processes that do the same at the same time. PostgreSQL's own locks (postmaster.pid and its shared memory) decide who
 * runs; nothing here weakens them.
 */
import { spawn } from 'node:child_process';
import { access, chown, mkdtemp, readdir, readFile, readlink, realpath, rename, rm, writeFile } from 'node:fs/promises';
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
/** Larger than any system's process numbers. */
const nobodysPid = 2_147_483_647;

/**
 * Makes the cluster when there is none in its folder. Safe to repeat and from several processes at once: it is made in a
 * folder beside, and moved into place when it is whole.
 */
export async function createCluster(cluster: Cluster, password: string, initdbArguments: string[]): Promise<void> {
  if (await isCluster(cluster.folder)) return;
  const beside = await mkdtemp(`${cluster.folder}-new-`);
  const passwordFile = join(beside, 'password');
  const made = join(beside, 'cluster');
  try {
    await writeFile(passwordFile, password, { mode: 0o600 });
    await give(cluster.user, beside, passwordFile);
    const own = ['--pgdata', made, '--username', superuser, '--pwfile', passwordFile, '--encoding', 'UTF8'];
    await run(cluster, 'initdb', [...own, '--auth', 'scram-sha-256', '--no-instructions', ...initdbArguments]);
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
export async function startServer(cluster: Cluster, settings: Record<string, string | number>): Promise<void> {
  await disownPostmaster(cluster);
  await replaceFile(cluster, 'postgresql.conf', renderSettings(settings));
  const log = join(cluster.folder, 'start.log');
  await rm(log, { force: true });
  try {
    const seconds = String(startSecondsMax);
    await run(cluster, 'pg_ctl', ['start', '-s', '-w', '-t', seconds, '-D', cluster.folder, '-l', log]);
  } catch (error) {
    const told = await readFile(log, 'utf8').catch(() => '');
    if (/lock file|shared memory block/.test(told)) throw new NotYet(told.trim());
    throw new Error(`PostgreSQL did not start. ${told.trim()} Its log: ${join(cluster.folder, 'log')}`, {
      cause: error,
    });
  }
}

/** Stops the cluster's server: connections are ended, everything is written. */
export async function stopServer(cluster: Cluster): Promise<void> {
  const seconds = String(stopSecondsMax);
  await run(cluster, 'pg_ctl', ['stop', '-s', '-w', '-t', seconds, '-m', 'fast', '-D', cluster.folder]);
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
  if (process.platform === 'linux') {
    // A server works in its folder from before it writes its pid file.
    return (await readlink(`/proc/${pid}/cwd`).catch(() => null)) === (await realpath(folder));
  }
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform === 'win32') return true;
  return new Promise((resolve) => {
    const ps = spawn('ps', ['-p', String(pid), '-o', 'comm='], { stdio: ['ignore', 'pipe', 'ignore'] });
    let out = '';
    ps.stdout.on('data', (chunk) => {
      out += chunk;
    });
    ps.on('error', () => resolve(true)).on('close', () => resolve(out.includes('postgres')));
  });
}
