/**
 * `shoal reconcile`: our own count of a channel next to the platform's, by day.
 */
import { Option } from 'commander';
import { type MetaPlatform, metaPlatforms } from '../bots/meta-tokens.ts';
import {
  type Comparison,
  type GapReason,
  gapReasons,
  type ReconciledDay,
  reconcile,
} from '../line/reconciliation.ts';
import { metaGapReasons, type PlatformReconciliation, reconcilePlatform } from '../meta/reconciliation.ts';
import { addDays } from '../time.ts';
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { renderTable } from './table.ts';

type Options = { from?: string; to?: string; platform: 'line' | MetaPlatform };

/** Adds the command. */
export function register(program: ShoalCommand, context: CommandContext): void {
  program
    .addForBot(
      'reconcile',
      "Show our own count of a channel next to the platform's by day, the gap and its possible reasons: on LINE followers, blocks and " +
        'sends by day in UTC+9.',
    )
    .option('--from <day>', 'first day, YYYY-MM-DD (default: 30 days up to the last)')
    .option('--to <day>', 'last day, YYYY-MM-DD (default: yesterday)')
    .addOption(
      new Option('--platform <name>', 'the platform').choices(['line', ...metaPlatforms]).default('line'),
    )
    .answer((botId: string, { from, to, platform }: Options) => async (sql) => {
      if (platform !== 'line') {
        const range = { platform, from, to, now: context.clock() };
        const answer = await reconcilePlatform(sql, botId, range);
        return {
          json: { botId, platform, ...answer, reasons: metaGapReasons },
          text: renderPlatform(answer),
        };
      }
      const days = await reconcile(sql, botId, { from, to, now: context.clock() });
      return { json: { botId, days, reasons: gapReasons }, text: renderDays(days) };
    });
}

/** Renders the days up to `to`. */
export function showReconciliation(
  context: CommandContext,
  botId: string,
  { platform, to, days }: { platform: Options['platform']; to: string; days: number },
): Promise<string> {
  const range = { from: addDays(to, 1 - days), to, now: context.clock() };
  return context.withDatabase(async (sql) =>
    platform === 'line'
      ? renderDays(await reconcile(sql, botId, range))
      : renderPlatform(await reconcilePlatform(sql, botId, { platform, ...range })),
  );
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

function renderPlatform({ zone, figures, days }: PlatformReconciliation): string {
  const head = ['day', ...figures.flatMap((name) => [name, 'Meta', 'gap']), ''];
  const rows = days.map(({ day, figures: counts }) => {
    const compared = figures.flatMap((name) => counts[name] ?? []);
    const cells = compared.flatMap(({ own, theirs, gap }) => toCells({ own, line: theirs, gap }));
    return [day, ...cells, [...new Set(compared.flatMap(({ reasons }) => reasons))].join(', ')];
  });
  const used = new Set(days.flatMap((one) => Object.values(one.figures).flatMap(({ reasons }) => reasons)));
  const legend = [...used].map((reason) => `${reason}: ${metaGapReasons[reason]}`);
  const table = renderTable([head, ...rows], { rightAligned: [1, head.length - 1] });
  return [`Days in ${zone}.`, ...table, ...(legend.length > 0 ? ['', ...legend] : [])].join('\n');
}

function toCells({ own, line, gap }: Pick<Comparison, 'own' | 'line' | 'gap'>): string[] {
  return [own, line, gap].map(countOf);
}

function countOf(count: number | null): string {
  return count === null ? '–' : String(count);
}
