/**
 * Runs PostgreSQL's programs as their system user, in a separate session, without this process's environment.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { SystemUser } from './system-user.ts';

/**
 * Runs the program and waits for it. The program inherits the file descriptor `inherited`, and from the environment only `env` and the
 * paths of programs. Throws an error with the program's output if it fails.
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
      // Ctrl-C in the terminal must reach only Shoal.
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

// The server can outlive this process, whose environment may contain secrets.
function environment(): Record<string, string> {
  const variables = ['PATH', 'SystemRoot', 'TEMP', 'TMP'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(variables), LC_ALL: 'C' };
}
