/**
 * Runs PostgreSQL's programs: as their user, in a session of their own, with nothing of this process's environment.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { SystemUser } from './system-user.ts';

/**
 * Runs the program and waits for it. It inherits the file descriptor `inherited`, and of the environment only `env` and the paths
 * of programs. Throws with the program's output when it fails.
 */
export function runProgram(
  { programs, user }: { programs: string; user: SystemUser | null },
  program: 'initdb' | 'pg_ctl',
  programArguments: readonly string[],
  { inherited = null, env = {} }: { inherited?: number | null; env?: Record<string, string> } = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(programs, program), programArguments, {
      ...user,
      // Ctrl-C in the terminal is for Shoal, which then closes in order.
      detached: true,
      windowsHide: true,
      cwd: '/',
      env: { ...environment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe', inherited ?? 'ignore'],
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        printed += text;
      });
    }
    child.on('error', reject).on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ended with code ${code}. ${printed.trim()}`));
    });
  });
}

// The server lives longer than this process, whose environment may hold secrets.
function environment(): Record<string, string> {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMP'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}
