/**
 * Reports by e-mail: what is sent, to whom and when. Addresses are personal data; they are deleted with the recipient or the report.
 */
import { findBot } from '../bots/bots.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { invalidInput, Refusal } from '../errors.ts';
import { cancelMails } from '../mail/queue.ts';
import { checkMailAddress } from '../mail/settings.ts';
import { newId, type Random } from '../random.ts';
import { isTimeZone } from '../time.ts';
import { type Frequency, nextDue, type Schedule } from './schedule.ts';
import type { Language } from './texts.ts';

export type ReportDraft = {
  name: string;
  botIds: readonly string[];
  frequency: Frequency;
  language: Language;
  timeZone: string;
  /** `HH:MM` in the zone. */
  time: string;
  isPaused: boolean;
  /** Addresses. */
  recipients: readonly string[];
};

export type Recipient = {
  recipientId: string;
  address: string;
  /** Null: subscribed. */
  unsubscribedAt: Date | null;
  /** The mail of the latest run; null: none. */
  result: { state: 'waiting' | 'sent' | 'given-up'; problem: string | null } | null;
};

export type MailReport = Omit<ReportDraft, 'recipients'> & {
  reportId: string;
  recipients: Recipient[];
  createdAt: Date;
  updatedAt: Date;
  /** The next planned sending, also of a paused report. */
  dueAt: Date;
  /** Null: none yet. */
  lastRun: { at: Date; first: string; last: string } | null;
  /** Why the latest run failed; null: it did not. */
  problem: string | null;
};

const timeForm = /^([01]\d|2[0-3]):([0-5]\d)$/;

/** Throws Refusal BOT_NOT_FOUND, INPUT_INVALID. */
export async function createReport(
  sql: Sql,
  draft: ReportDraft,
  { now, random }: { now: number; random: Random },
): Promise<MailReport> {
  const reportId = newId(random);
  const { at } = nextDue(await scheduleOf(sql, checked(draft)), now);
  return sql.begin(async (tx) => {
    await tx`
      insert into mail_reports (report_id, name, bot_ids, frequency, language, time_zone, minute_of_day, is_paused,
        created_at, updated_at, due_at)
      values (${reportId}, ${draft.name}, ${textList(draft.botIds)}::text[], ${draft.frequency}, ${draft.language},
        ${draft.timeZone}, ${minuteOf(draft.time)}, ${draft.isPaused}, ${new Date(now)}, ${new Date(now)}, ${new Date(at)})`;
    await writeRecipients(tx, reportId, draft.recipients, { now, random });
    return findReport(tx, reportId);
  }) as Promise<MailReport>;
}

/**
 * Replaces the report. A recipient that stays keeps its state: an unsubscribed one stays unsubscribed. Another schedule, and the end
 * of a pause, plan the next sending again. Safe to repeat. Throws Refusal MAIL_REPORT_NOT_FOUND, BOT_NOT_FOUND, INPUT_INVALID.
 */
export async function replaceReport(
  sql: Sql,
  reportId: string,
  draft: ReportDraft,
  { now, random }: { now: number; random: Random },
): Promise<MailReport> {
  const { at } = nextDue(await scheduleOf(sql, checked(draft)), now);
  return sql.begin(async (tx) => {
    const { count } = await tx`
      update mail_reports set name = ${draft.name}, bot_ids = ${textList(draft.botIds)}::text[],
        language = ${draft.language}, updated_at = ${new Date(now)},
        due_at = case when (frequency, time_zone, minute_of_day, is_paused) =
            (${draft.frequency}::text, ${draft.timeZone}::text, ${minuteOf(draft.time)}::integer, ${draft.isPaused}::boolean)
          then due_at else ${new Date(at)} end,
        frequency = ${draft.frequency}, time_zone = ${draft.timeZone}, minute_of_day = ${minuteOf(draft.time)},
        is_paused = ${draft.isPaused}
      where report_id = ${reportId}`;
    if (count === 0) refuseUnknown(reportId);
    await writeRecipients(tx, reportId, draft.recipients, { now, random });
    return findReport(tx, reportId);
  }) as Promise<MailReport>;
}

/** Deletes the report with its addresses, and cancels its waiting mails. Throws Refusal MAIL_REPORT_NOT_FOUND. */
export async function deleteReport(sql: Sql, reportId: string, { now }: { now: number }): Promise<void> {
  await sql.begin(async (tx) => {
    const { count } = await tx`delete from mail_reports where report_id = ${reportId}`;
    if (count === 0) refuseUnknown(reportId);
    await cancelMails(tx, { keyPrefix: `report ${reportId} `, now });
  });
}

/** All reports, by name. */
export async function listReports(sql: Queryable): Promise<MailReport[]> {
  const rows = await selectReports(sql, sql`true`);
  return Promise.all(rows.map((row) => withRecipients(sql, row)));
}

/** Throws Refusal MAIL_REPORT_NOT_FOUND. */
export async function findReport(sql: Queryable, reportId: string): Promise<MailReport> {
  const [row] = await selectReports(sql, sql`report_id = ${reportId}`);
  return row ? withRecipients(sql, row) : refuseUnknown(reportId);
}

/** The report that has been due longest, locked until the end of the transaction; null: none. */
export async function lockDueReport(tx: Transaction, now: number): Promise<MailReport | null> {
  const [due] = await tx<{ reportId: string }[]>`
    select report_id as "reportId" from mail_reports
    where not is_paused and due_at <= ${new Date(now)}
    order by due_at limit 1
    for update skip locked`;
  return due ? findReport(tx, due.reportId) : null;
}

/** Throws Refusal BOT_NOT_FOUND. */
export async function scheduleOf(
  sql: Queryable,
  { frequency, timeZone, time, botIds }: Pick<ReportDraft, 'frequency' | 'timeZone' | 'time' | 'botIds'>,
): Promise<Schedule> {
  const bots = await Promise.all(botIds.map((botId) => findBot(sql, botId)));
  const botZones = [...new Set(bots.map((bot) => bot.timeZone))];
  return { frequency, timeZone, minuteOfDay: minuteOf(time), botZones };
}

/** Names the mail of a run for a recipient. */
export function mailKey(reportId: string, recipientId: string, run: string): string {
  return `report ${reportId} ${recipientId} ${run}`;
}

type Row = Omit<MailReport, 'recipients' | 'time' | 'lastRun'> & {
  minuteOfDay: number;
  lastRun: string | null;
  lastRunAt: Date | null;
  firstDay: string | null;
  lastDay: string | null;
};

async function selectReports(sql: Queryable, condition: ReturnType<Queryable>): Promise<Row[]> {
  return sql<Row[]>`
    select report_id as "reportId", name, bot_ids as "botIds", frequency, language, time_zone as "timeZone",
      minute_of_day as "minuteOfDay", is_paused as "isPaused", created_at as "createdAt", updated_at as "updatedAt",
      due_at as "dueAt", last_run as "lastRun", last_run_at as "lastRunAt", last_first_day::text as "firstDay",
      last_day::text as "lastDay", problem
    from mail_reports where ${condition} order by name, report_id`;
}

async function withRecipients(
  sql: Queryable,
  { minuteOfDay, lastRun: run, lastRunAt, firstDay, lastDay, ...report }: Row,
): Promise<MailReport> {
  const rows = await sql<
    (Omit<Recipient, 'result'> & {
      isStored: boolean;
      outcome: 'sent' | 'given-up' | null;
      problem: string | null;
    })[]
  >`
    select recipient_id as "recipientId", address, unsubscribed_at as "unsubscribedAt", outcome, problem,
      mail_id is not null as "isStored"
    from mail_report_recipients recipient
    left join mails on key = 'report ' || report_id || ' ' || recipient_id || ' ' || ${run}::text
    where report_id = ${report.reportId}
    order by address`;
  return {
    ...report,
    time: `${pad(Math.floor(minuteOfDay / 60))}:${pad(minuteOfDay % 60)}`,
    recipients: rows.map(({ isStored, outcome, problem, ...recipient }) => ({
      ...recipient,
      result: isStored ? { state: outcome ?? 'waiting', problem } : null,
    })),
    lastRun:
      lastRunAt === null || firstDay === null || lastDay === null
        ? null
        : { at: lastRunAt, first: firstDay, last: lastDay },
  };
}

async function writeRecipients(
  tx: Transaction,
  reportId: string,
  addresses: readonly string[],
  { now, random }: { now: number; random: Random },
): Promise<void> {
  const removed = await tx<{ recipientId: string }[]>`
    delete from mail_report_recipients
    where report_id = ${reportId} and address <> all (${textList(addresses)}::text[])
    returning recipient_id as "recipientId"`;
  for (const { recipientId } of removed)
    await cancelMails(tx, { keyPrefix: `report ${reportId} ${recipientId} `, now });
  for (const address of addresses) {
    await tx`
      insert into mail_report_recipients (report_id, recipient_id, address)
      values (${reportId}, ${newId(random)}, ${address})
      on conflict (report_id, address) do nothing`;
  }
}

function checked(draft: ReportDraft): ReportDraft {
  if (draft.name.trim() === '' || /\p{Cc}/u.test(draft.name))
    throw invalidInput('name must be a text on one line.');
  if (draft.botIds.length === 0) throw invalidInput('A report needs at least one bot.');
  if (!isTimeZone(draft.timeZone))
    throw invalidInput(`timeZone must be a name such as Asia/Taipei, not ${JSON.stringify(draft.timeZone)}.`);
  if (!timeForm.test(draft.time)) throw invalidInput('time must be like 09:00.');
  for (const address of draft.recipients) checkMailAddress(address);
  return draft;
}

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}

function refuseUnknown(reportId: string): never {
  throw new Refusal('MAIL_REPORT_NOT_FOUND', `There is no report ${JSON.stringify(reportId)}.`);
}
