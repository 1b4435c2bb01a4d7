/**
 * `shoal reconcile`: our own count of a LINE channel beside LINE's, by day.
 */
import type { Command } from 'commander';
import {
  type Comparison,
  type GapReason,
  gapReasons,
  type ReconciledDay,
  reconcile,
} from '../line/reconciliation.ts';
import { addDays } from '../time.ts';
import type { CommandContext } from './context.ts';

type Options = { from?: string; to?: string; json?: boolean };

/** Adds the command. */
export function register(program: Command, context: CommandContext): void {
  program
    .command('reconcile')
    .description(
      "Show a LINE channel's followers, blocks and sends by day in UTC+9: our own count, LINE's, the gap and what may explain it.",
    )
    .argument('<bot>', 'bot id')
    .option('--from <day>', 'first day, YYYY-MM-DD (default: 30 days up to the last)')
    .option('--to <day>', 'last day, YYYY-MM-DD (default: yesterday)')
    .option('--json', 'print one JSON object')
    .action(async (botId: string, { from, to, json }: Options) => {
      const days = await context.withDatabase((sql) =>
        reconcile(sql, botId, { from, to, now: context.clock() }),
      );
      context.out(json ? JSON.stringify({ botId, days, reasons: gapReasons }) : toTable(days));
    });
}

/** The table of so many days up to a day (UTC+9). */
export async function showReconciliation(
  context: CommandContext,
  botId: string,
  { to, days }: { to: string; days: number },
): Promise<string> {
  const from = addDays(to, 1 - days);
  return toTable(
    await context.withDatabase((sql) => reconcile(sql, botId, { from, to, now: context.clock() })),
  );
}

function toTable(days: readonly ReconciledDay[]): string {
  const figures = ['followers', 'blocks', 'sends'] as const;
  const heads = figures.flatMap((name) => [name, 'LINE', 'gap']);
  const numbers = days.map((day) => figures.flatMap((name) => toCells(day[name])));
  const told = days.map((day) => [...new Set(figures.flatMap((name) => day[name].reasons))]);
  const widths = heads.map((head, place) =>
    Math.max(head.length, ...numbers.map((cells) => cells[place]?.length ?? 0)),
  );
  const toLine = (day: string, cells: readonly string[], reasons: string) =>
    [day.padEnd(10), ...cells.map((cell, place) => cell.padStart(widths[place] ?? 0)), reasons]
      .join('  ')
      .trimEnd();
  const lines = days.map(({ day }, place) =>
    toLine(day, numbers[place] ?? [], told[place]?.join(', ') ?? ''),
  );
  const found = new Set<GapReason>(told.flat());
  const legend = [...found].map((reason) => `${reason}: ${gapReasons[reason]}`);
  return [toLine('day', heads, ''), ...lines, ...(legend.length > 0 ? ['', ...legend] : [])].join('\n');
}

function toCells({ own, line, gap }: Comparison): string[] {
  return [own, line, gap].map((count) => (count === null ? '–' : String(count)));
}
