/**
 * Runs PostgreSQL's programs as their system user, in a separate session, without this process's environment.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { SystemUser } from './system-user.ts';

/**
 * Runs the program and waits for it. The program inherits the file descriptor `inherited`, and from the environment only `env` and the
 * paths of programs. Throws an error with the program's output if it fails.
 */
export async function runProgram(
  { programs, user }: { programs: string; user: SystemUser | null },
  program: 'initdb' | 'pg_ctl',
  programArguments: readonly string[],
  { inherited = null, env = {} }: { inherited?: number | null; env?: Record<string, string> } = {},
): Promise<void> {
  const child = spawn(join(programs, program), programArguments, {
    ...user,
    // Ctrl-C in the terminal must reach only Shoal.
    detached: true,
    windowsHide: true,
    cwd: '/',
    env: { ...environment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe', inherited ?? 'ignore'],
  });
  const [[code], output] = await Promise.all([
    once(child, 'close'),
    Promise.all([child.stdout, child.stderr].map((stream) => stream && text(stream))),
  ]);
  if (code !== 0) throw new Error(`${program} ended with code ${code}. ${output.join('').trim()}`);
}

// The server can outlive this process, whose environment may contain secrets.
function environment(): Record<string, string> {
  const variables = ['PATH', 'SystemRoot', 'TEMP', 'TMP'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(variables), LC_ALL: 'C' };
}
