/**
 * `shoal reconcile`: our own count of a LINE channel next to LINE's, by day.
 */
import {
  type Comparison,
  type GapReason,
  gapReasons,
  type ReconciledDay,
  reconcile,
} from '../line/reconciliation.ts';
import { addDays } from '../time.ts';
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { renderTable } from './table.ts';

/** Adds the command. */
export function register(program: ShoalCommand, context: CommandContext): void {
  program
    .addForBot(
      'reconcile',
      "Show a LINE channel's followers, blocks and sends by day in UTC+9: our own count, LINE's, the gap and its possible reasons.",
    )
    .option('--from <day>', 'first day, YYYY-MM-DD (default: 30 days up to the last)')
    .option('--to <day>', 'last day, YYYY-MM-DD (default: yesterday)')
    .answer((botId: string, { from, to }: { from?: string; to?: string }) => async (sql) => {
      const days = await reconcile(sql, botId, { from, to, now: context.clock() });
      return { json: { botId, days, reasons: gapReasons }, text: renderDays(days) };
    });
}

/** Renders the days up to `to` (UTC+9). */
export function showReconciliation(
  context: CommandContext,
  botId: string,
  { to, days }: { to: string; days: number },
): Promise<string> {
  const range = { from: addDays(to, 1 - days), to, now: context.clock() };
  return context.withDatabase(async (sql) => renderDays(await reconcile(sql, botId, range)));
}

function renderDays(days: readonly ReconciledDay[]): string {
  const figures = ['followers', 'blocks', 'sends'] as const;
  const head = ['day', ...figures.flatMap((name) => [name, 'LINE', 'gap']), 'from before', ''];
  const rows = days.map((day) => {
    const reasons = [...new Set(figures.flatMap((name) => day[name].reasons))];
    return {
      reasons,
      cells: [
        day.day,
        ...figures.flatMap((name) => toCells(day[name])),
        countOf(day.friendsBefore),
        reasons.join(', '),
      ],
    };
  });
  const table = renderTable([head, ...rows.map(({ cells }) => cells)], {
    rightAligned: [1, head.length - 1],
  });
  const reasons = new Set<GapReason>(rows.flatMap((row) => row.reasons));
  const legend = [...reasons].map((reason) => `${reason}: ${gapReasons[reason]}`);
  return [...table, ...(legend.length > 0 ? ['', ...legend] : [])].join('\n');
}

function toCells({ own, line, gap }: Comparison): string[] {
  return [own, line, gap].map(countOf);
}

function countOf(count: number | null): string {
  return count === null ? '–' : String(count);
}
