/**
 * `shoal report`: reports by e-mail. The servers send them; `send` plans the e-mails at once.
 */
import { invalidInput } from '../errors.ts';
import { readMailSettings } from '../mail/settings.ts';
import {
  createReport,
  deleteReport,
  findReport,
  listReports,
  type MailReport,
  type ReportDraft,
  replaceReport,
} from '../mail-reports/reports.ts';
import { previewReport, type ReportParts, sendReportNow } from '../mail-reports/runs.ts';
import { frequencies } from '../mail-reports/schedule.ts';
import { languages } from '../mail-reports/texts.ts';
import { renderLine, renderList, type ShoalCommand } from './command.ts';
import type { Context } from './context.ts';

type Options = Partial<Omit<ReportDraft, 'botIds' | 'recipients' | 'isPaused'>> & {
  bot?: string[];
  to?: string[];
};

/** Adds the commands. */
export function register(program: ShoalCommand, context: Context): void {
  const report = program.add('report', 'Reports by e-mail: create, change, preview, send, pause, delete.');
  const making = () => ({ now: context.clock(), random: context.random });
  report.add('list', 'List the reports with their next and latest sending.').answer(() => async (sql) => {
    const reports = await listReports(sql);
    return { json: { reports }, text: renderList(reports, renderReport) };
  });
  addFields(report.add('create', 'Create a report.')).answer((options: Options) => async (sql) => {
    const draft = toDraft(options, null);
    return answerOf(await createReport(sql, draft, making()));
  });
  const change = report.add('set', 'Change a report. Omitted options stay; --bot and --to replace all.');
  addFields(addId(change)).answer((reportId: string, options: Options) => async (sql) => {
    const draft = toDraft(options, await findReport(sql, reportId));
    return answerOf(await replaceReport(sql, reportId, draft, making()));
  });
  for (const [name, description, isPaused] of [
    ['pause', 'Stop the planned sending of a report.', true],
    ['resume', 'Continue the planned sending of a report.', false],
  ] as const) {
    addId(report.add(name, description)).answer((reportId: string) => async (sql) => {
      const draft = { ...toDraft({}, await findReport(sql, reportId)), isPaused };
      return answerOf(await replaceReport(sql, reportId, draft, making()));
    });
  }
  addId(report.add('preview', 'Print the text of a report about the latest complete period.')).answer(
    (reportId: string) => async (sql) => {
      const { subject, text, html } = await previewReport(await partsOf(context, sql), reportId, making());
      return { json: { subject, text, html }, text };
    },
  );
  addId(report.add('send', 'Send a report about the latest complete period now.')).answer(
    (reportId: string) => async (sql) =>
      answerOf(await sendReportNow(await partsOf(context, sql), reportId, making())),
  );
  addId(report.add('delete', 'Delete a report with its addresses.')).answer(
    (reportId: string) => async (sql) => {
      await deleteReport(sql, reportId, making());
      return { json: { reportId }, text: `The report ${reportId} is deleted.` };
    },
  );
}

function addId(command: ShoalCommand): ShoalCommand {
  return command.argument('<report>', 'id of the report');
}

function addFields(command: ShoalCommand): ShoalCommand {
  return command
    .option('--name <name>', 'name in the subject')
    .option('--bot <bot...>', 'ids of the bots')
    .option('--to <address...>', 'addresses of the recipients')
    .choice('--frequency <frequency>', 'how often it is sent', frequencies)
    .choice('--language <language>', 'language of the report', languages)
    .option('--time-zone <zone>', 'zone of the time')
    .option('--time <time>', 'time of day, such as 09:00');
}

/** The options over the existing report, or over the defaults of a new one. */
function toDraft({ bot, to, ...options }: Options, existing: MailReport | null): ReportDraft {
  const draft = {
    ...(existing === null
      ? ({ frequency: 'weekly', language: 'zh-Hant', timeZone: 'Asia/Taipei', time: '09:00' } as const)
      : existing),
    ...options,
    botIds: bot ?? existing?.botIds ?? [],
    recipients: to ?? existing?.recipients.map(({ address }) => address) ?? [],
  };
  const { name = existing?.name, frequency, language, timeZone, time, botIds, recipients } = draft;
  if (name === undefined) throw invalidInput('A new report needs --name.');
  const isPaused = existing?.isPaused ?? false;
  return { name, frequency, language, timeZone, time, botIds, recipients, isPaused };
}

async function partsOf(context: Context, sql: ReportParts['sql']): Promise<ReportParts> {
  const config = context.config();
  const { publicUrl } = config;
  const { random } = context;
  return { sql, keys: await context.keys(sql), random, settings: readMailSettings(config), publicUrl };
}

function answerOf(report: MailReport) {
  return { json: report, text: renderReport(report) };
}

function renderReport(report: MailReport): string {
  const { reportId, name, frequency, time, timeZone, recipients, isPaused, dueAt, lastRun, problem } = report;
  return [
    renderLine(
      reportId,
      JSON.stringify(name),
      `${frequency} at ${time} ${timeZone}`,
      isPaused ? 'paused' : ['next', dueAt],
      lastRun && `last ${lastRun.first} to ${lastRun.last}`,
      problem,
    ),
    ...recipients.map(({ address, unsubscribedAt, result }) =>
      renderLine(
        `  ${address}`,
        ...(unsubscribedAt ? [['unsubscribed', unsubscribedAt] as [string, Date]] : []),
        result?.state,
        result?.problem,
      ),
    ),
  ].join('\n');
}
