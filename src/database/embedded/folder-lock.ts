/**
 * Locks on files of the data folder. They decide which process may start or stop the embedded PostgreSQL.
 *
 *     data/serve.lock       exclusive: the folder's only `shoal serve`
 *     data/postgres.lock    exclusive: the process that starts or stops PostgreSQL, from before until after
 *     data/postgres.users   shared: each process that uses PostgreSQL and can stop it; exclusive: no other process does
 *
 * The operating system holds these locks by inode. They are released when their process is killed, and they are valid between
 * containers of one machine, which do not see each other's processes. SQLite takes them, because Node has no call for it. It
 * never writes to the files.
 */
import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Refusal } from '../../errors.ts';
import type { SystemUser } from './system-user.ts';

const fileNames = ['serve.lock', 'postgres.lock', 'postgres.users'] as const;

export type Unlock = () => void;

const sqliteBusy = 5;

const statements = {
  shared: 'begin; select 1 from sqlite_schema',
  exclusive: 'begin exclusive',
};

/** Creates missing files. Root makes the server's user their owner, which must be able to lock them later. */
export async function makeLockFiles(dataFolder: string, user: SystemUser | null): Promise<void> {
  for (const name of fileNames) {
    const path = join(dataFolder, name);
    // An existing file is not opened: when a process closes a file, it loses its locks on it.
    await writeFile(path, '', { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    if (user) await chown(path, user.uid, user.gid);
  }
}

/**
 * Takes the lock and returns its release; null when another process has it. Throws Refusal INPUT_INVALID when the file cannot be
 * locked, so that other processes cannot be detected.
 */
export function tryLock(path: string, kind: keyof typeof statements): Unlock | null {
  let file: DatabaseSync | undefined;
  try {
    file = new DatabaseSync(path, { timeout: 0 });
    file.exec(statements[kind]);
  } catch (error) {
    file?.close();
    if (!(error instanceof Error && 'errcode' in error)) throw error;
    if (error.errcode === sqliteBusy) return null;
    throw new Refusal(
      'INPUT_INVALID',
      `The file ${path} cannot be locked (${error.message}), so another PostgreSQL server may use the data folder. The folder must be writable, and its file system must have locks. Choose another with --data or SHOAL_DATA.`,
      { cause: error },
    );
  }
  return () => file.close();
}
