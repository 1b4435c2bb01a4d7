/**
 * The check of all rules: begins and ends alerts, and queues their reports in the same statement.
 *
 * A process claims a check by moving the time of the next one, so that one process at a time checks. A killed one changes nothing that
 * the next check does not repeat: an alert that runs is not begun again, and an ended one not ended again, whichever process asks.
 */
import type { Sql } from '../database/client.ts';
import { msOf } from '../database/instants.ts';
import { rowTable } from '../database/row-table.ts';
import { minuteMs } from '../time.ts';
import { type AlertChange, changesOf, type RunningAlert } from './changes.ts';
import { type LastCheck, readFacts } from './facts.ts';
import { readingsOf } from './readings.ts';
import { readSettings } from './rule-rows.ts';

export const checkEveryMs = minuteMs;
/** After a longer pause no server ran. Deliveries that waited for it are processed first. */
const pauseMsMax = 5 * minuteMs;

/** Checks all rules if the check is due. False: it is not, or another process has it. Safe to call from any number of processes. */
export async function checkAlerts(sql: Sql, { now }: { now: number }): Promise<boolean> {
  const claim = await claimCheck(sql, now);
  if (claim === null) return false;
  await recordBundles(sql);
  if (claim.isAfterPause) return false;
  const [settings, runningAlerts] = await Promise.all([readSettings(sql), readRunning(sql)]);
  const byBot = Map.groupBy(runningAlerts, ({ botId }) => botId);
  for await (const bots of readFacts(sql, claim, now)) {
    const changes = bots.flatMap((facts) => {
      const { botId } = facts;
      const settingsOf = (rule: Parameters<typeof settings>[1]) => settings(botId, rule);
      const readings = readingsOf(facts, settingsOf, now);
      return changesOf(readings, byBot.get(botId) ?? [], { settingsOf, now }).map((change) => ({
        botId,
        ...change,
      }));
    });
    await putChanges(sql, changes, now);
  }
  return true;
}

/** Null: the check is not due, or another process has it. */
async function claimCheck(sql: Sql, now: number): Promise<(LastCheck & { isAfterPause: boolean }) | null> {
  const next = new Date(now + checkEveryMs);
  // The subqueries read the row before the statement; the first check has none.
  const [row] = await sql<{ lastNextAt: number | null; lastBundleId: number }[]>`
    insert into alert_checks as last (next_at) values (${next})
    on conflict (only_one) do update set next_at = excluded.next_at where last.next_at <= ${new Date(now)}
    returning (select ${msOf(sql, 'next_at')} from alert_checks) as "lastNextAt",
      coalesce((select last_bundle_id from alert_checks), 0) as "lastBundleId"`;
  if (!row) return null;
  const { lastNextAt, lastBundleId } = row;
  return {
    lastBundleId,
    lastAt: (lastNextAt ?? now) - checkEveryMs,
    isAfterPause: lastNextAt === null || lastNextAt < now - pauseMsMax,
  };
}

async function recordBundles(sql: Sql): Promise<void> {
  await sql`
    update alert_checks set last_bundle_id =
      greatest(last_bundle_id, coalesce((select max(bundle_id) from pending_bundles), 0))`;
}

async function readRunning(sql: Sql): Promise<RunningAlert[]> {
  return sql<RunningAlert[]>`
    select bot_id as "botId", alert_id as "alertId", rule, subject, ${msOf(sql, 'calm_since')} as "calmSince"
    from alerts where ended_at is null`;
}

type BotChange = AlertChange & { botId: string };

async function putChanges(sql: Sql, changes: readonly BotChange[], now: number): Promise<void> {
  const begins = changes.filter((change) => change.kind === 'begin');
  const ends = changes.filter((change) => change.kind === 'end');
  const calms = changes.filter((change) => change.kind === 'calm');
  const at = new Date(now);
  if (begins.length > 0) {
    await sql`
      with began as (
        insert into alerts (bot_id, rule, subject, value, threshold, began_at)
        select bot_id, rule, subject, value::float8, threshold::float8, ${at}::timestamptz
        from ${rowTable(sql, 'new', begins, {
          bot_id: ['text', ({ botId }) => botId],
          rule: ['text', ({ rule }) => rule],
          subject: ['text', ({ subject }) => subject],
          value: ['text', ({ value }) => String(value)],
          threshold: ['text', ({ threshold }) => String(threshold)],
        })}
        order by bot_id, rule, subject
        on conflict (bot_id, rule, subject) where ended_at is null do nothing
        returning bot_id, alert_id
      )
      insert into alert_reports (bot_id, alert_id, phase, target_id, created_at, due_at)
      select began.bot_id, alert_id, 'begin', target_id, ${at}::timestamptz, ${at}::timestamptz
      from began join alert_targets on alert_targets.bot_id = began.bot_id`;
  }
  if (ends.length > 0) {
    // To the targets that have a report of its start.
    await sql`
      with ended as (
        update alerts set ended_at = ${at}
        from ${rowTable(sql, 'old', ends, {
          bot_id: ['text', ({ botId }) => botId],
          alert_id: ['bigint', ({ alertId }) => alertId],
        })}
        where alerts.bot_id = old.bot_id and alerts.alert_id = old.alert_id and ended_at is null
        returning alerts.bot_id, alerts.alert_id
      )
      insert into alert_reports (bot_id, alert_id, phase, target_id, created_at, due_at)
      select ended.bot_id, ended.alert_id, 'end', target_id, ${at}::timestamptz, ${at}::timestamptz
      from ended join alert_reports begun on begun.bot_id = ended.bot_id and begun.alert_id = ended.alert_id and phase = 'begin'`;
  }
  if (calms.length > 0) {
    await sql`
      update alerts set calm_since = changed.calm_since
      from ${rowTable(sql, 'changed', calms, {
        bot_id: ['text', ({ botId }) => botId],
        alert_id: ['bigint', ({ alertId }) => alertId],
        calm_since: ['timestamptz', ({ since }) => since],
      })}
      where alerts.bot_id = changed.bot_id and alerts.alert_id = changed.alert_id and ended_at is null`;
  }
}
