/**
 * The system user that PostgreSQL runs as. It refuses to run as root, so a process of root starts it as the user
 * `postgres`; any other process starts it as itself.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { Refusal } from '../../errors.ts';

export type SystemUser = { uid: number; gid: number };

const userName = 'postgres';

/**
 * The user to run PostgreSQL as; null: the one of this process. As root the user `postgres`, made when it is missing.
 * Throws Refusal INPUT_INVALID when it cannot be made.
 */
export function postgresUser(): SystemUser | null {
  if (process.getuid?.() !== 0) return null;
  const user = findUser() ?? makeUser();
  if (user) return user;
  throw new Refusal(
    'INPUT_INVALID',
    `PostgreSQL does not run as root, and there is no system user "${userName}" to run it as; making one failed. Make it (useradd --system ${userName}), or start Shoal as an ordinary user.`,
  );
}

/** The first folder on the way to `path`, itself included, that the user may not enter; null when the way is free. */
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

function makeUser(): SystemUser | null {
  // Debian, Fedora and most others have useradd; Alpine has only its own adduser.
  const ways = [
    ['useradd', '--system', '--no-create-home', '--shell', '/usr/sbin/nologin', userName],
    ['adduser', '-S', '-D', '-H', '-s', '/sbin/nologin', userName],
  ] as const;
  ways.some(([command, ...args]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0);
  return findUser();
}
