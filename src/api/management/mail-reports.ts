/**
 * Operations on reports by e-mail. A caller for some bots may use the reports whose bots it all may use.
 */
import { mayUseBot } from '../../auth/admin-tokens.ts';
import type { Caller } from '../../auth/caller.ts';
import { Refusal } from '../../errors.ts';
import type { RenderedReport } from '../../mail-reports/render.ts';
import {
  createReport,
  deleteReport,
  findReport,
  listReports,
  type MailReport,
  type ReportDraft,
  replaceReport,
} from '../../mail-reports/reports.ts';
import { previewReport, type ReportParts, sendReportNow } from '../../mail-reports/runs.ts';
import { isoOf, isoOrNull, withIsoDates } from '../iso.ts';
import type { Body, Call, Download, Operations, Sources } from './operation.ts';

export function mailReportOperations({ sql, keys, clock, random, mail, publicUrl }: Sources) {
  const parts: ReportParts = { sql, keys, random, settings: mail, publicUrl };
  const findOwn = async ({
    caller,
    params: { reportId },
  }: Pick<Call<'getMailReport'>, 'caller' | 'params'>): Promise<MailReport> => {
    const report = await findReport(sql, reportId);
    if (isWithin(caller, report)) return report;
    throw new Refusal('MAIL_REPORT_NOT_FOUND', `There is no report ${JSON.stringify(reportId)}.`);
  };
  return {
    async listMailReports({ caller }) {
      const reports = (await listReports(sql)).filter((report) => isWithin(caller, report));
      return { reports: reports.map(toAnswer), isConfigured: mail !== null && publicUrl !== null };
    },
    async createMailReport({ caller, body }) {
      return toAnswer(await createReport(sql, draftOf(caller, body), { now: clock(), random }));
    },
    async getMailReport(call) {
      return toAnswer(await findOwn(call));
    },
    async replaceMailReport(call) {
      const { reportId } = await findOwn(call);
      const draft = draftOf(call.caller, call.body);
      return toAnswer(await replaceReport(sql, reportId, draft, { now: clock(), random }));
    },
    async deleteMailReport(call) {
      const { reportId } = await findOwn(call);
      await deleteReport(sql, reportId, { now: clock() });
    },
    async previewMailReport(call): Promise<Download> {
      const { reportId } = await findOwn(call);
      const report = await previewReport(parts, reportId, { now: clock() });
      return {
        type: 'text/html; charset=utf-8',
        fileName: `shoal-report-${reportId}.html`,
        content: Buffer.from(toPage(report)),
        isPage: true,
      };
    },
    async sendMailReport(call) {
      const { reportId } = await findOwn(call);
      const key = call.headers['idempotency-key'];
      return toAnswer(await sendReportNow(parts, reportId, { now: clock(), key }));
    },
  } satisfies Partial<Operations>;
}

function isWithin(caller: Caller, { botIds }: Pick<MailReport, 'botIds'>): boolean {
  return botIds.every((botId) => mayUseBot(caller, botId));
}

function draftOf(caller: Caller, { isPaused = false, ...body }: Body<'createMailReport'>): ReportDraft {
  const hidden = body.botIds.find((botId) => !mayUseBot(caller, botId));
  if (hidden !== undefined) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${hidden}.`);
  return { ...body, isPaused };
}

function toAnswer({ recipients, lastRun, dueAt, ...report }: MailReport) {
  return {
    ...withIsoDates(report),
    botIds: [...report.botIds],
    dueAt: report.isPaused ? null : isoOf(dueAt),
    recipients: recipients.map(({ address, unsubscribedAt, result }) => ({
      address,
      unsubscribedAt: isoOrNull(unsubscribedAt),
      result,
    })),
    lastRun: lastRun && withIsoDates(lastRun),
  };
}

/** The HTML with its images inside, because a browser does not show `cid:`. */
function toPage({ html, attachments }: RenderedReport): string {
  return attachments.reduce(
    (page, { cid, type, content }) =>
      cid === undefined
        ? page
        : page.replaceAll(`cid:${cid}"`, `data:${type};base64,${Buffer.from(content).toString('base64')}"`),
    html,
  );
}
