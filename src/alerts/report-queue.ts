/**
 * The queue of reports. A claim is a lease: it ends with the attempt, or expires if its process was killed. Every attempt of a report has
 * the same key, by which its receiver drops a repetition.
 */
import type { Queryable } from '../database/client.ts';
import { hourMs, minuteMs, secondMs } from '../time.ts';
import type { Alert, Phase } from './log.ts';
import type { Target } from './targets.ts';

/** Longer than any attempt takes. */
export const leaseMs = minuteMs;
const pausesMs = [10 * secondMs, minuteMs, 5 * minuteMs, 15 * minuteMs, hourMs];
/** An older report is no news, and LINE forgets the key of a call after a day. */
const validMs = 23 * hourMs;

/** A report that this process may send now. */
export type ReportClaim = Alert &
  Target & {
    botId: string;
    phase: Phase;
    key: string;
    /** With this one. It also identifies the claim. */
    attempts: number;
    reportedAt: Date;
  };

/** Claims the reports that have been due longest. The end of an alert waits for the report of its start. */
export async function claimReports(
  sql: Queryable,
  { now, limit }: { now: number; limit: number },
): Promise<ReportClaim[]> {
  const at = new Date(now);
  return sql<ReportClaim[]>`
    with due as (
      select bot_id, alert_id, target_id, phase from alert_reports report
      where state = 'pending' and due_at <= ${at} and (claimed_until is null or claimed_until <= ${at})
        and (phase <> 'end' or not exists (
          select from alert_reports begun where begun.bot_id = report.bot_id and begun.alert_id = report.alert_id
            and begun.target_id = report.target_id and begun.phase = 'begin' and begun.state = 'pending'))
      order by due_at limit ${limit}
      for update skip locked
    ), claimed as (
      update alert_reports report set claimed_until = ${new Date(now + leaseMs)}, attempts = attempts + 1
      from due
      where report.bot_id = due.bot_id and report.alert_id = due.alert_id and report.target_id = due.target_id
        and report.phase = due.phase
      returning report.*
    )
    select claimed.bot_id as "botId", claimed.phase, claimed.key::text as key, claimed.attempts,
      claimed.created_at as "reportedAt", alert.alert_id as "alertId", rule, subject, value, threshold,
      began_at as "beganAt", alert.ended_at as "endedAt", target.target_id as "targetId", kind, address, language,
      target.created_at as "createdAt"
    from claimed
    join alerts alert on alert.bot_id = claimed.bot_id and alert.alert_id = claimed.alert_id
    join alert_targets target on target.bot_id = claimed.bot_id and target.target_id = claimed.target_id`;
}

/** `isFinal`: no later attempt can succeed. */
export type ReportResult = { problem: null } | { problem: string; isFinal: boolean };

/** Records the result of an attempt, and ends the claim. Does nothing if the claim has expired and another process has the report. */
export async function recordReport(
  sql: Queryable,
  { botId, alertId, targetId, phase, attempts, reportedAt }: ReportClaim,
  result: ReportResult,
  now: number,
): Promise<void> {
  const { problem } = result;
  const pauseMs = pausesMs[Math.min(attempts, pausesMs.length) - 1] ?? minuteMs;
  // A person waits for the result of a test.
  const isLast =
    problem !== null &&
    (result.isFinal || phase === 'test' || now + pauseMs > reportedAt.getTime() + validMs);
  const state = problem === null ? 'sent' : isLast ? 'given-up' : 'pending';
  await sql`
    update alert_reports set state = ${state}, problem = ${problem}, claimed_until = null,
      due_at = ${new Date(now + pauseMs)}, ended_at = ${state === 'pending' ? null : new Date(now)}
    where bot_id = ${botId} and alert_id = ${alertId} and target_id = ${targetId} and phase = ${phase}
      and attempts = ${attempts} and state = 'pending'`;
}

/** Ends a claim without a result. Safe to repeat. */
export async function releaseReport(
  sql: Queryable,
  { botId, alertId, targetId, phase, attempts }: ReportClaim,
): Promise<void> {
  await sql`
    update alert_reports set claimed_until = null
    where bot_id = ${botId} and alert_id = ${alertId} and target_id = ${targetId} and phase = ${phase}
      and attempts = ${attempts} and state = 'pending'`;
}
