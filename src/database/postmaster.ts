/**
 * PostgreSQL's own note of who runs a cluster: `postmaster.pid` in its folder, written by the server and left behind when it
 * is killed. Its lines: process number, folder, start, port, socket folder, address, shared memory, status.
 */
import { execFile } from 'node:child_process';
import { readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where a server listens: an IP address, or the folder of its unix socket, and the port. */
export type Listening = { host: string; port: number };

export type Postmaster = {
  number: number;
  /** False: the note is a dead server's. */
  runs: boolean;
  /** True when any process has the number of the note. */
  numberTaken: boolean;
  /** Null: not listening yet. */
  listening: Listening | null;
  /** The note as it has to be left when another program has its number: with a number that no process can have. */
  disowned: string;
};

/** Larger than any system's process numbers. */
const nobodysNumber = 2_147_483_647;

/** The cluster's note; null when there is none. */
export async function readPostmaster(folder: string): Promise<Postmaster | null> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '');
  const [number = '', ...rest] = text.split('\n');
  const pid = Number(number);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  const [, , port, socketFolder, address, memory] = rest;
  const host = socketFolder || address;
  return {
    number: pid,
    runs: await runsIn(folder, pid),
    numberTaken: isTaken(pid),
    listening: host && memory ? { host, port: Number(port) } : null,
    disowned: [nobodysNumber, ...rest].join('\n'),
  };
}

/** True when the process is a server of the folder, and not gone, a zombie, or another program that got its number. */
async function runsIn(folder: string, pid: number): Promise<boolean> {
  // A server works in its folder from before it writes its note.
  if (process.platform === 'linux') {
    return (await readlink(`/proc/${pid}/cwd`).catch(() => null)) === (await realpath(folder));
  }
  if (!isTaken(pid) || process.platform === 'win32') return isTaken(pid);
  const { stdout } = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'comm=']);
  return stdout.includes('postgres');
}

function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // Gone, or another user's, which PostgreSQL sees for itself.
    return false;
  }
}
