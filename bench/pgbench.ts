/**
 * PostgreSQL's own load program with its built-in TPC-B-like script: it changes three balances and writes one row of history.
 */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Address } from '../src/database/client.ts';

const run = promisify(execFile);
const database = 'pgbench';
const threads = 2;

export type Pgbench = {
  /** Transactions per second. */
  measure(options: { connections: number; durationMs: number }): Promise<number>;
};

/** The path of the program: on the PATH, or in the folder of Debian's packages. Null: not found. */
export function findPgbench(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const installed = globSync('/usr/lib/postgresql/*/bin/pgbench').sort().reverse();
  return [...folders.flatMap((folder) => globSync(join(folder, 'pgbench'))), ...installed][0] ?? null;
}

/** Fills the program's tables for a number of branches, in the server's existing database `pgbench`. */
export async function preparePgbench(
  program: string,
  { host, port, user, password }: Address,
  branches: number,
): Promise<Pgbench> {
  const server = ['-h', host, '-p', String(port), '-U', user, database];
  const env = { PATH: process.env.PATH, PGPASSWORD: password };
  await run(program, ['--initialize', '--quiet', '--scale', String(branches), ...server], { env });
  return {
    async measure({ connections, durationMs }) {
      const load = ['--client', String(connections), '--jobs', String(threads)];
      const time = ['--time', String(Math.max(1, Math.round(durationMs / 1_000)))];
      const { stdout } = await run(program, [...load, ...time, ...server], { env });
      const perSecond = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1] ?? Number.NaN);
      if (!(perSecond > 0)) throw new Error(`pgbench printed no rate: ${stdout}`);
      return perSecond;
    },
  };
}
