/**
 * The log of alerts: running and ended ones, with their reports; and tests of a target, which are rows of the log as well.
 */
import type { Queryable } from '../database/client.ts';
import { numberList } from '../database/lists.ts';
import { dayMs } from '../time.ts';
import { noTarget, type TargetKind } from './targets.ts';

export type Phase = 'begin' | 'end' | 'test';
export type Report = {
  targetId: number;
  kind: TargetKind;
  address: string;
  phase: Phase;
  state: 'pending' | 'sent' | 'given-up';
  /** Null: pending. */
  endedAt: Date | null;
  problem: string | null;
};

export type Alert = {
  alertId: number;
  /** `test` or a rule. */
  rule: string;
  subject: string;
  value: number;
  threshold: number;
  beganAt: Date;
  endedAt: Date | null;
};

const keptDays = 90;

/** A page of alerts, the newest first, with their reports. `isRunning` null: any. */
export async function listAlerts(
  sql: Queryable,
  botId: string,
  { isRunning, limit, beforeId }: { isRunning: boolean | null; limit: number; beforeId: number | null },
): Promise<(Alert & { reports: Report[] })[]> {
  const alerts = await sql<Alert[]>`
    select ${columns(sql)} from alerts
    where bot_id = ${botId}
      ${beforeId === null ? sql`` : sql`and alert_id < ${beforeId}`}
      ${isRunning === null ? sql`` : isRunning ? sql`and ended_at is null` : sql`and ended_at is not null`}
    order by alert_id desc limit ${limit}`;
  const reports = await sql<(Report & { alertId: number })[]>`
    select alert_id as "alertId", target.target_id as "targetId", kind, address, phase, state, ended_at as "endedAt", problem
    from alert_reports report join alert_targets target on target.bot_id = ${botId} and target.target_id = report.target_id
    where report.bot_id = ${botId} and alert_id = any (${numberList(alerts.map(({ alertId }) => alertId))}::bigint[])
    order by report.created_at, target.target_id`;
  const byAlert = Map.groupBy(reports, ({ alertId }) => alertId);
  return alerts.map((alert) => ({
    ...alert,
    reports: (byAlert.get(alert.alertId) ?? []).map(({ alertId: _, ...report }) => report),
  }));
}

/** The running alerts, the longest first. */
export async function runningAlerts(sql: Queryable, botId: string): Promise<Alert[]> {
  return sql<Alert[]>`
    select ${columns(sql)} from alerts where bot_id = ${botId} and ended_at is null order by alert_id`;
}

/** Reports a test to one target; returns its alert. Not idempotent. Throws Refusal ALERT_TARGET_NOT_FOUND. */
export async function reportTest(
  sql: Queryable,
  { botId, targetId, now }: { botId: string; targetId: number; now: number },
): Promise<number> {
  const at = new Date(now);
  const [row] = await sql<{ alertId: number }[]>`
    with target as (
      select target_id from alert_targets where bot_id = ${botId} and target_id = ${targetId}
    ), test as (
      insert into alerts (bot_id, rule, subject, value, threshold, began_at, ended_at)
      select ${botId}, 'test', '', 0, 0, ${at}::timestamptz, ${at}::timestamptz from target
      returning alert_id
    )
    insert into alert_reports (bot_id, alert_id, phase, target_id, created_at, due_at)
    select ${botId}, alert_id, 'test', target_id, ${at}::timestamptz, ${at}::timestamptz from test cross join target
    returning alert_id as "alertId"`;
  if (!row) throw noTarget(botId, targetId);
  return row.alertId;
}

/** Deletes alerts that ended more than 90 days ago, with their reports. Idempotent. */
export async function purgeAlerts(sql: Queryable, botId: string, { now }: { now: number }): Promise<void> {
  await sql`
    with old as (
      delete from alerts where bot_id = ${botId} and ${isOldAlert(sql, { now })} returning alert_id
    )
    delete from alert_reports where bot_id = ${botId} and alert_id in (select alert_id from old)`;
}

/** For queries over `alerts`: true for those that `purgeAlerts` deletes. */
export function isOldAlert(sql: Queryable, { now }: { now: number }) {
  return sql`ended_at < ${new Date(now - keptDays * dayMs)}`;
}

function columns(sql: Queryable) {
  return sql`alert_id as "alertId", rule, subject, value, threshold, began_at as "beganAt", ended_at as "endedAt"`;
}
