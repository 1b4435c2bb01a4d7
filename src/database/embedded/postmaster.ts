/**
 * Reads `postmaster.pid`, which a PostgreSQL server writes into its folder. It remains when the server is killed. Its lines: process
 * number, folder, start, port, socket folder, address, shared memory, status. The number and the folders are valid in the server's
 * own container.
 */
import { execFile } from 'node:child_process';
import { readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where a server listens: an IP address, or the folder of its unix socket, and the port. */
export type Listening = { host: string; port: number };

export type Postmaster = {
  number: number;
  /** True: this process can see the server. False: the server is dead, or in another container. */
  runsHere: boolean;
  /** True if any visible process has the number. */
  numberTaken: boolean;
  /** Null: not listening yet. */
  listening: Listening | null;
  /** The file's text with a number that no process can have. Replaces the file if another program has the server's number. */
  disowned: string;
};

/** Larger than the process numbers of all systems. */
const unusedNumber = 2_147_483_647;

/** Returns null if the cluster has no postmaster.pid. */
export async function readPostmaster(folder: string): Promise<Postmaster | null> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '');
  const [number = '', ...rest] = text.split('\n');
  const pid = Number(number);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  const [, , port, socketFolder, address, memory] = rest;
  // The socket is in the cluster's folder, whose path can differ in the server's container.
  const host = socketFolder ? folder : address;
  return {
    number: pid,
    runsHere: await runsIn(folder, pid),
    numberTaken: isTaken(pid),
    listening: host && memory ? { host, port: Number(port) } : null,
    disowned: [unusedNumber, ...rest].join('\n'),
  };
}

/** True if the process is a server of the folder, and not a zombie or another program with the same number. */
async function runsIn(folder: string, pid: number): Promise<boolean> {
  // A server changes to its folder before it writes the file.
  if (process.platform === 'linux') {
    // In a namespace without its own /proc, /proc shows the processes of another namespace.
    if ((await readlink('/proc/self')) !== String(process.pid)) return false;
    const [workingFolder, clusterFolder] = await Promise.all([
      stat(`/proc/${pid}/cwd`).catch(() => null),
      stat(folder),
    ]);
    return workingFolder?.ino === clusterFolder.ino && workingFolder.dev === clusterFolder.dev;
  }
  if (!isTaken(pid) || process.platform === 'win32') return isTaken(pid);
  const { stdout } = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'comm=']);
  return stdout.includes('postgres');
}

function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // It has ended, or belongs to another user, which PostgreSQL detects by itself.
    return false;
  }
}
