/**
 * Commands of the command line within the test's process: on its database, with a stopped clock and seeded randomness.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ShoalCommand } from '../../src/cli/command.ts';
import type { CommandContext } from '../../src/cli/context.ts';
import type { Sql } from '../../src/database/client.ts';
import { seededBytes } from './random.ts';

export type Run = {
  /** The text on stdout. */
  out: string;
  /** The lines on stderr. */
  log: string[];
};

/** Returns a function that runs one command line (`tag`, `add`, …) and throws errors. */
export function commandRunner(
  sql: Sql,
  register: (program: ShoalCommand, context: CommandContext) => void,
  { now }: { now: number },
): (...args: string[]) => Promise<Run> {
  const random = seededBytes(1);
  return async (...args) => {
    const out: string[] = [];
    const log: string[] = [];
    const context: CommandContext = {
      withDatabase: (run) => run(sql),
      clock: () => now,
      random,
      out: (text) => void out.push(text),
      log: (text) => void log.push(text),
    };
    const program = new ShoalCommand('shoal', context);
    register(program, context);
    await program.parseAsync(args, { from: 'user' });
    return { out: out.join('\n'), log };
  };
}

/** Writes a file that is deleted when the test ends, and returns its path. */
export async function temporaryFile(t: TestContext, content: string | Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-file-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'file');
  await writeFile(path, content);
  return path;
}
