/**
 * `shoal recount`: computes the counters of a bot from its events, or compares them with the stored ones.
 */
import { type Difference, recount } from '../rebuild/recount.ts';
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { withProgress } from './progress.ts';

/** Adds the command. */
export function register(program: ShoalCommand, context: CommandContext): void {
  program
    .addForBot('recount', 'Recompute all figures of a bot from its events.')
    .option('--check', 'only compare; exit code 1 and the differences, if there are any')
    .answer((botId: string, { check = false }: { check?: boolean }) => async (sql) => {
      const differences = await withProgress(context, 'contacts', (progress) =>
        recount(sql, botId, { check, progress }),
      );
      return {
        json: { botId, check, differences },
        text: render(botId, check, differences),
        isFailure: check && differences.length > 0,
      };
    });
}

function render(botId: string, check: boolean, differences: readonly Difference[]): string {
  if (differences.length === 0) return `The figures of ${botId} match its events.`;
  const lines = differences.map(
    ({ where, kept, recounted }) => `${where}\n  stored     ${kept}\n  recounted  ${recounted}`,
  );
  const outcome = check ? 'do not match its events' : 'did not match its events and are corrected';
  return [`${differences.length} rows of ${botId} ${outcome}:`, ...lines].join('\n');
}
