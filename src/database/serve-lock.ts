/**
 * The lock of the data folder's one `shoal serve`: a file that it keeps locked as long as it lives.
 *
 *     data/serve.lock   empty; its being there says nothing, the lock on it everything
 *
 * The operating system holds the lock, so that a killed process lets go in the same instant, and so that it lasts while the
 * embedded PostgreSQL is away. SQLite takes it, because Node itself has no call for it: no database is ever written.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const sqliteBusy = 5;

/** Takes the folder's lock and gives the way to let it go; null when another process has it. Throws when the file cannot be made. */
export function takeServeLock(dataFolder: string): (() => void) | null {
  const file = new DatabaseSync(join(dataFolder, 'serve.lock'), { timeout: 0 });
  try {
    file.exec('begin exclusive');
  } catch (error) {
    file.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return null;
    throw error;
  }
  return () => file.close();
}
