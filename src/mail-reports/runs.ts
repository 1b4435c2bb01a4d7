/**
 * The sending of reports. The row of the run, the mails and the next due time are written in one transaction, so a period is planned
 * exactly once, whatever process dies. The queue of e-mails then sends each mail (src/mail/queue.ts).
 */
import type { Logger } from 'pino';
import type { Keys } from '../auth/keys.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { isOutage } from '../database/outage.ts';
import { invalidInput, Refusal } from '../errors.ts';
import type { MailContent } from '../mail/message.ts';
import { enqueueMail } from '../mail/queue.ts';
import { type MailSettings, requireMail } from '../mail/settings.ts';
import { newId, type Random } from '../random.ts';
import { dayMs, minuteMs } from '../time.ts';
import { readBotReport } from './figures.ts';
import { type RenderedReport, type ReportContent, renderReport } from './render.ts';
import { findReport, lockDueReport, type MailReport, mailKey, scheduleOf } from './reports.ts';
import { type Due, latestDue, nextDue } from './schedule.ts';
import { unsubscribeToken } from './unsubscribe.ts';

export type ReportParts = {
  sql: Sql;
  keys: Keys;
  random: Random;
  settings: MailSettings | null;
  /** Of this server; null: not set. */
  publicUrl: string | null;
};

const retryMs = 10 * minuteMs;
const runsKeptMs = 400 * dayMs;

/**
 * Plans the mails of one due report for its latest complete period. Earlier periods that were missed are left out. False: no report
 * is due. A report that cannot be made gets a problem, and is tried again later.
 */
export async function runDueReport(
  parts: ReportParts,
  { now, log }: { now: number; log: Pick<Logger, 'error'> },
): Promise<boolean> {
  return parts.sql.begin(async (tx) => {
    const report = await lockDueReport(tx, now);
    if (report === null) return false;
    const { reportId } = report;
    const made = await makeReport(parts, report, now).catch((error: unknown) => {
      if (isOutage(error)) throw error;
      log.error({ err: error, reportId }, 'a report by e-mail could not be made');
      return error instanceof Refusal
        ? error.message
        : 'An internal error occurred. See the log of the server.';
    });
    if (typeof made === 'string') {
      await tx`
        update mail_reports set problem = ${made}, due_at = ${new Date(now + retryMs)} where report_id = ${reportId}`;
      return true;
    }
    const { first, last } = made.due;
    const { count } = await tx`
      insert into mail_report_runs (report_id, first_day, last_day, created_at)
      values (${reportId}, ${first}, ${last}, ${new Date(now)})
      on conflict do nothing`;
    if (count > 0)
      await enqueueReport(tx, parts, made, { run: first === last ? first : `${first}-${last}`, now });
    await tx`update mail_reports set due_at = ${new Date(made.nextAt)}, problem = null where report_id = ${reportId}`;
    return true;
  }) as Promise<boolean>;
}

/**
 * Sends the latest complete period to all subscribed recipients now, besides the planned sending. Of several calls with one key, the
 * first sends. Throws Refusal MAIL_NOT_CONFIGURED, MAIL_REPORT_NOT_FOUND, INPUT_INVALID.
 */
export async function sendReportNow(
  parts: ReportParts,
  reportId: string,
  { now, key = newId(parts.random) }: { now: number; key?: string },
): Promise<MailReport> {
  requireMail(parts.settings);
  const made = await makeReport(parts, await findReport(parts.sql, reportId), now);
  if (made.report.recipients.every(({ unsubscribedAt }) => unsubscribedAt !== null))
    throw invalidInput('The report has no subscribed recipient.');
  return parts.sql.begin(async (tx) => {
    await enqueueReport(tx, parts, made, { run: `now ${key}`, now });
    return findReport(tx, reportId);
  }) as Promise<MailReport>;
}

/** The report about the latest complete period, as a recipient would get it, without a link to unsubscribe. */
export async function previewReport(
  parts: ReportParts,
  reportId: string,
  { now }: { now: number },
): Promise<RenderedReport> {
  const { content } = await makeReport(parts, await findReport(parts.sql, reportId), now);
  return renderReport(content, null);
}

/** Deletes old rows of runs. Safe to repeat. */
export async function purgeReportRuns(sql: Sql, { now }: { now: number }): Promise<void> {
  await sql`delete from mail_report_runs where created_at <= ${new Date(now - runsKeptMs)}`;
}

type Made = { report: MailReport; content: ReportContent; due: Due; nextAt: number };

async function makeReport({ sql, publicUrl }: ReportParts, report: MailReport, now: number): Promise<Made> {
  const schedule = await scheduleOf(sql, report);
  const due = latestDue(schedule, now);
  const { name, language, frequency } = report;
  const { first, last } = due;
  const bots = [];
  for (const botId of report.botIds)
    bots.push(await readBotReport(sql, botId, { first, last, frequency, now }));
  return {
    report,
    due,
    nextAt: nextDue(schedule, now).at,
    content: { name, language, frequency, first, last, bots, publicUrl: requirePublicUrl(publicUrl) },
  };
}

async function enqueueReport(
  tx: Transaction,
  { settings, keys, random }: ReportParts,
  { report, content, due: { first, last } }: Made,
  { run, now }: { run: string; now: number },
): Promise<void> {
  const { reportId } = report;
  for (const { recipientId, address, unsubscribedAt } of report.recipients) {
    if (unsubscribedAt !== null) continue;
    const url = `${content.publicUrl}/mail/unsubscribe/${unsubscribeToken(keys.current, { reportId, recipientId })}`;
    const mail = {
      ...toMail(content, address, url),
      kind: 'report' as const,
      key: mailKey(reportId, recipientId, run),
    };
    await enqueueMail(tx, mail, { settings, keys, now, random });
  }
  await tx`
    update mail_reports set last_run = ${run}, last_run_at = ${new Date(now)}, last_first_day = ${first},
      last_day = ${last}
    where report_id = ${reportId}`;
}

/** With the headers of RFC 8058, by which mail programs offer to unsubscribe with one click. */
function toMail(content: ReportContent, to: string, unsubscribeUrl: string): MailContent {
  return {
    to,
    ...renderReport(content, unsubscribeUrl),
    headers: {
      'List-Unsubscribe': `<${unsubscribeUrl}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
  };
}

function requirePublicUrl(publicUrl: string | null): string {
  if (publicUrl !== null) return publicUrl;
  throw new Refusal(
    'MAIL_NOT_CONFIGURED',
    'Reports by e-mail need SHOAL_PUBLIC_URL for their links. Set it, and restart the server.',
  );
}
