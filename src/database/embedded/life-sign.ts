/**
 * The life sign of a data folder's PostgreSQL: `data/postgres.alive`, a named pipe. Every process of the server inherits its
 * reading end, and nothing is ever written. The pipe has a reader exactly while a process of the server is alive, in any container.
 * The server's process number and shared memory show this only within one container.
 */
import { execFile } from 'node:child_process';
import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Refusal } from '../../errors.ts';
import type { SystemUser } from './system-user.ts';

const isMissing = process.platform === 'win32';
/** A pipe without a reader, and a missing pipe. */
const deadCodes = new Set(['ENXIO', 'ENOENT']);

/** Creates the pipe if it is missing. Safe to repeat and from several processes at the same time. */
export async function makeLifeSign(path: string, user: SystemUser | null): Promise<void> {
  if (isMissing || isPipe(path)) return;
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', path]);
    if (user) await chown(path, user.uid, user.gid);
  } catch (error) {
    if (isPipe(path)) return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal('INPUT_INVALID', `The named pipe ${path} cannot be created: ${reason.trim()}`, {
      cause: error,
    });
  }
}

/** True while any process of the server is alive. Always false on Windows, which has no such pipes. */
export function isAlive(path: string): boolean {
  if (isMissing) return false;
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && deadCodes.has(String(error.code))) return false;
    throw error;
  }
}

/** Runs with the reading end, for the server to inherit; null on Windows. */
export async function withLifeSign<T>(path: string, run: (fd: number | null) => Promise<T>): Promise<T> {
  if (isMissing) return run(null);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return await run(fd);
  } finally {
    closeSync(fd);
  }
}

function isPipe(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
}
