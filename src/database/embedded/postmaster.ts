/**
 * `postmaster.pid`, which a PostgreSQL server writes into its folder and leaves there when it is killed. Its lines: process
 * number, folder, start, port, socket folder, address, shared memory, status. The number and the folders are those of the
 * server's own container.
 */
import { execFile } from 'node:child_process';
import { readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where a server listens: an IP address, or the folder of its unix socket, and the port. */
export type Listening = { host: string; port: number };

export type Postmaster = {
  number: number;
  /** True: the server runs among the processes that this one sees. False: it is dead, or in another container. */
  runsHere: boolean;
  /** True when any process that this one sees has the number. */
  numberTaken: boolean;
  /** Null: not listening yet. */
  listening: Listening | null;
  /** The file's text with a number that no process can have, for when another program has the server's number. */
  disowned: string;
};

/** Larger than any system's process numbers. */
const unusedNumber = 2_147_483_647;

/** Reads the cluster's postmaster.pid; null when there is none. */
export async function readPostmaster(folder: string): Promise<Postmaster | null> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '');
  const [number = '', ...rest] = text.split('\n');
  const pid = Number(number);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  const [, , port, socketFolder, address, memory] = rest;
  // A server's socket is in the cluster's folder, which may have another path in the server's container.
  const host = socketFolder ? folder : address;
  return {
    number: pid,
    runsHere: await runsIn(folder, pid),
    numberTaken: isTaken(pid),
    listening: host && memory ? { host, port: Number(port) } : null,
    disowned: [unusedNumber, ...rest].join('\n'),
  };
}

/** True when the process is a server of the folder: not gone, not a zombie, and not another program that got its number. */
async function runsIn(folder: string, pid: number): Promise<boolean> {
  // A server works in its folder from before it writes its file.
  if (process.platform === 'linux') {
    // A namespace entered without a /proc of its own shows the processes of another one there.
    if ((await readlink('/proc/self')) !== String(process.pid)) return false;
    const [working, own] = await Promise.all([stat(`/proc/${pid}/cwd`).catch(() => null), stat(folder)]);
    return working?.ino === own.ino && working.dev === own.dev;
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
