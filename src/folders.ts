/**
 * The data folder and its files: makes them, keeps them closed to other users, and names what is wrong with them.
 */
import { chmodSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Refusal } from './errors.ts';

/** The permissions of the owner, and of all other users, in a file's mode. */
const ownerMode = 0o700;
const othersMode = 0o077;

/**
 * Makes the folder and those above it, where they are missing. Node's own recursive mkdir does not end on a file system that
 * answers ENOENT, such as /proc.
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (codeOf(error) !== 'ENOENT' || parent === path) throw error;
    await makeFolder(parent);
    await mkdir(path, mode).catch((again) => {
      if (codeOf(again) !== 'EEXIST') throw again;
    });
  }
}

/**
 * Takes all permissions of other users from a file or folder. Kubernetes grants its group some at every start (fsGroup). False:
 * it has such permissions, and belongs to another user or is on a read-only file system.
 */
export function closeToOthers(path: string): boolean {
  const { mode } = statSync(path);
  // Windows keeps its permissions elsewhere; every file looks open there.
  if (process.platform === 'win32' || (mode & othersMode) === 0) return true;
  try {
    chmodSync(path, mode & ownerMode);
    return true;
  } catch (error) {
    if (['EPERM', 'EROFS'].includes(String(codeOf(error)))) return false;
    throw error;
  }
}

/** Runs; a system error becomes a Refusal INPUT_INVALID that names the data folder. */
export async function usingFolder<T>(dataFolder: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new Refusal(
      'INPUT_INVALID',
      `The data folder ${dataFolder} cannot be used: ${error.message}. Choose another with --data or SHOAL_DATA, or start Shoal as a user who may write there.`,
      { cause: error },
    );
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
