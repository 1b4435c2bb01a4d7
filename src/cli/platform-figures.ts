/**
 * `shoal platform-figures`: the figures that Meta reports about a channel and about WhatsApp templates.
 */
import { Option } from 'commander';
import { findBot } from '../bots/bots.ts';
import { type MetaPlatform, metaPlatforms } from '../bots/meta-tokens.ts';
import {
  type PlatformFigures,
  readPlatformFigures,
  readTemplateReport,
  reportedBy,
  type TemplateReport,
} from '../meta/reported-figures.ts';
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { renderTable } from './table.ts';

type Options = { from?: string; to?: string; platform: MetaPlatform; templates?: boolean };

/** Adds the command. */
export function register(program: ShoalCommand, context: CommandContext): void {
  program
    .addForBot(
      'platform-figures',
      'Show the figures that Meta reports: the latest of each and those of single days; for WhatsApp also quality and messaging limit of ' +
        'the number, or with --templates the messages sent, delivered, read and clicked by template.',
    )
    .addOption(new Option('--platform <name>', 'the platform').choices(metaPlatforms).makeOptionMandatory())
    .option('--templates', "WhatsApp's templates, summed over the days")
    .option('--from <day>', 'first day, YYYY-MM-DD (default: 30 days up to the last)')
    .option('--to <day>', 'last day, YYYY-MM-DD (default: today)')
    .answer((botId: string, { platform, templates = false, ...days }: Options) => async (sql) => {
      await findBot(sql, botId);
      const range = { ...days, now: context.clock() };
      if (templates) {
        const report = await readTemplateReport(sql, botId, range);
        return { json: { botId, ...report }, text: renderTemplates(report) };
      }
      const figures = await readPlatformFigures(sql, botId, { platform, ...range });
      return { json: { botId, platform, ...figures }, text: renderFigures(platform, figures) };
    });
}

function renderFigures(platform: MetaPlatform, { zone, latest, days }: PlatformFigures): string {
  const names = reportedBy[platform].figures;
  const latestRows = latest.map(({ figure, value, day, reportedAt }) => [
    ...[figure, textOf(value), day ?? '–', reportedAt?.toISOString() ?? 'never'],
  ]);
  const dayRows = days.map(({ day, reportedAt, figures }) => [
    ...[day, ...names.map((name) => textOf(figures[name])), reportedAt.toISOString()],
  ]);
  return [
    `Days in ${zone}.`,
    ...renderTable([['figure', 'latest', 'day', 'reported at'], ...latestRows], { rightAligned: [1, 2] }),
    '',
    ...renderTable([['day', ...names, 'reported at'], ...dayRows], { rightAligned: [1, names.length + 1] }),
  ].join('\n');
}

function renderTemplates({ zone, from, to, reportedAt, templates }: TemplateReport): string {
  const head = ['template', 'id', 'sent', 'delivered', 'read', 'clicked'];
  const rows = templates.map(({ name, templateId, sent, delivered, read, clicked }) => [
    ...[name, templateId, ...[sent, delivered, read, clicked].map(textOf)],
  ]);
  return [
    `${from} to ${to} in ${zone}, reported at ${reportedAt?.toISOString() ?? '–'}.`,
    ...renderTable([head, ...rows], { rightAligned: [2, head.length] }),
  ].join('\n');
}

function textOf(value: number | string | null | undefined): string {
  return value === null || value === undefined ? '–' : String(value);
}
