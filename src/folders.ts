/**
 * Creates the data folder, closes its files to other users, and reports its errors.
 */
import { chmodSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Refusal } from './errors.ts';

/** The permissions of the owner, and of all other users, in a file's mode. */
const ownerMode = 0o700;
const othersMode = 0o077;

/**
 * Creates the folder and its missing parents. Node's own recursive mkdir never ends on a file system that answers ENOENT, such as
 * /proc.
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (codeOf(error) !== 'ENOENT' || parent === path) throw error;
    await makeFolder(parent);
    await mkdir(path, mode).catch((secondError) => {
      if (codeOf(secondError) !== 'EEXIST') throw secondError;
    });
  }
}

/**
 * Removes all permissions of other users from a file or folder. Kubernetes grants some to its group at every start (fsGroup). Returns
 * false if it could not: the file belongs to another user or is on a read-only file system.
 */
export function closeToOthers(path: string): boolean {
  const { mode } = statSync(path);
  // Windows stores permissions elsewhere. Every file looks open there.
  if (process.platform === 'win32' || (mode & othersMode) === 0) return true;
  try {
    chmodSync(path, mode & ownerMode);
    return true;
  } catch (error) {
    if (['EPERM', 'EROFS'].includes(String(codeOf(error)))) return false;
    throw error;
  }
}

/** Runs, and converts system errors to a Refusal INPUT_INVALID with the data folder. */
export async function usingFolder<T>(dataFolder: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new Refusal(
      'INPUT_INVALID',
      `The data folder ${dataFolder} cannot be used: ${error.message}. Choose another with --data or SHOAL_DATA, or start Shoal as a user with write access.`,
      { cause: error },
    );
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
