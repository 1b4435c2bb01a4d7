/**
 * The name of this process's user id, which initdb needs. Containers often run with a user id without a name. There, the library
 * nss_wrapper provides one.
 */
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Refusal } from '../../errors.ts';

const libraryFolder = '/usr/lib';
const libraryName = 'libnss_wrapper.so';

/**
 * Returns an environment in which initdb finds a name, and writes its files to the folder. Empty if the user id has a name. Throws
 * Refusal INPUT_INVALID if it has none and the library is missing.
 */
export async function namingEnvironment(folder: string): Promise<Record<string, string>> {
  const uid = process.getuid?.();
  if (uid === undefined || hasName()) return {};
  const library = findLibrary();
  if (library === undefined) {
    throw new Refusal(
      'INPUT_INVALID',
      `PostgreSQL needs a name for user id ${uid}. Add it to /etc/passwd, install libnss-wrapper, or set DATABASE_URL to another PostgreSQL server.`,
    );
  }
  const [users, groups] = [join(folder, 'users'), join(folder, 'groups')];
  await writeFile(users, `shoal:x:${uid}:${process.getgid?.()}::/:/bin/false\n`);
  await writeFile(groups, `shoal:x:${process.getgid?.()}:\n`);
  return { LD_PRELOAD: library, NSS_WRAPPER_PASSWD: users, NSS_WRAPPER_GROUP: groups };
}

function hasName(): boolean {
  try {
    return userInfo().username !== '';
  } catch {
    return false;
  }
}

/** Debian installs it in a folder of the machine's architecture, other systems in the folder itself. */
function findLibrary(): string | undefined {
  return ['', ...readdirSync(libraryFolder)]
    .map((folder) => join(libraryFolder, folder, libraryName))
    .find((path) => existsSync(path));
}
