/**
 * `shoal recount`: the kept figures of a bot computed anew from its events, or compared with that.
 */
import type { Command } from 'commander';
import { type Difference, recount } from '../rebuild/recount.ts';
import type { Context } from './context.ts';
import { showProgress } from './progress.ts';

/** Adds the command. */
export function register(program: Command, context: Context): void {
  program
    .command('recount')
    .description('Compute all figures of a bot anew from its events.')
    .argument('<bot>', 'bot id')
    .option('--check', 'only compare: exit 1 and the differences, if there are any')
    .option('--json', 'print one JSON object')
    .action(async (botId: string, { check = false, json = false }: { check?: boolean; json?: boolean }) => {
      const differences = await context.withDatabase((sql) => run(context, sql, botId, check));
      context.out(json ? JSON.stringify({ botId, check, differences }) : report(botId, check, differences));
      if (check && differences.length > 0) process.exitCode = 1;
    });
}

async function run(
  context: Context,
  sql: Parameters<typeof recount>[0],
  botId: string,
  check: boolean,
): Promise<Difference[]> {
  const bar = showProgress(context, 'contacts');
  try {
    return await recount(sql, botId, { check, progress: (done, all) => bar.update(done, all) });
  } finally {
    bar.stop();
  }
}

function report(botId: string, check: boolean, differences: readonly Difference[]): string {
  if (differences.length === 0) return `The figures of ${botId} are what its events say.`;
  const lines = differences.map(
    ({ where, kept, recounted }) => `${where}\n  kept       ${kept}\n  recounted  ${recounted}`,
  );
  const outcome = check ? 'differ from what the events say' : 'differed, and are now what the events say';
  return [`${differences.length} rows of ${botId} ${outcome}:`, ...lines].join('\n');
}
