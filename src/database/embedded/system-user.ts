/**
 * The system user of PostgreSQL. PostgreSQL refuses to run as root, so a process of root starts it as the user `postgres`. Any other
 * process starts it as its own user.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { Refusal } from '../../errors.ts';

export type SystemUser = { uid: number; gid: number };

const userName = 'postgres';

/**
 * Returns the user to run PostgreSQL as, or null for the user of this process. As root: the user `postgres`, created if missing. Throws
 * Refusal INPUT_INVALID if it cannot be created.
 */
export function postgresUser(): SystemUser | null {
  if (process.getuid?.() !== 0) return null;
  const user = findUser() ?? createSystemUser();
  if (user) return user;
  throw new Refusal(
    'INPUT_INVALID',
    `PostgreSQL cannot run as root, and the system user "${userName}" does not exist and could not be created. Create it (useradd --system ${userName}), or start Shoal as an ordinary user.`,
  );
}

/** The first folder of `path`, including itself, that the user cannot access. Null: the user can access all. */
export function blockedFolder(user: SystemUser, path: string): string | null {
  const script = 'for folder do [ -x "$folder" ] || { printf %s "$folder"; exit; }; done';
  const { stdout, error } = spawnSync('/bin/sh', ['-c', script, 'sh', ...foldersTo(path)], {
    ...user,
    cwd: '/',
    encoding: 'utf8',
  });
  if (error) throw error;
  return stdout === '' ? null : stdout;
}

function foldersTo(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...foldersTo(parent), path];
}

function findUser(): SystemUser | null {
  try {
    return { uid: idOf('-u'), gid: idOf('-g') };
  } catch {
    return null;
  }
}

function idOf(flag: '-u' | '-g'): number {
  return Number(
    execFileSync('id', [flag, userName], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
}

function createSystemUser(): SystemUser | null {
  // Debian, Fedora and most others have useradd; Alpine has only its own adduser.
  const commands = [
    ['useradd', '--system', '--no-create-home', '--shell', '/usr/sbin/nologin', userName],
    ['adduser', '-S', '-D', '-H', '-s', '/sbin/nologin', userName],
  ] as const;
  commands.some(([command, ...args]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0);
  return findUser();
}
