/**
 * Which alerts begin and end, as pure code: from the readings of a bot and its running alerts.
 */
import { minuteMs } from '../time.ts';
import { isCalm, type Reading, type RuleName, type RuleSettings, reaches } from './rules.ts';

export type RunningAlert = {
  botId: string;
  alertId: number;
  rule: string;
  subject: string;
  /** ms; null: its cause is there. */
  calmSince: number | null;
};

export type AlertChange =
  | { kind: 'begin'; rule: RuleName; subject: string; value: number; threshold: number }
  | { kind: 'end'; alertId: number }
  /** The cause is gone since `since` (ms), or is back (null). */
  | { kind: 'calm'; alertId: number; since: number | null };

/** An alert ends when its cause has been gone for this long. */
export const calmMs = 10 * minuteMs;

export function changesOf(
  readings: readonly Reading[],
  running: readonly RunningAlert[],
  { settingsOf, now }: { settingsOf: (rule: RuleName) => RuleSettings; now: number },
): AlertChange[] {
  const find = <One extends { rule: string; subject: string }>(
    list: readonly One[],
    { rule, subject }: { rule: string; subject: string },
  ) => list.find((one) => one.rule === rule && one.subject === subject);
  const begins = readings.flatMap((reading) => {
    const { threshold } = settingsOf(reading.rule);
    if (!reaches(reading, threshold) || find(running, reading)) return [];
    return [{ kind: 'begin' as const, ...reading, threshold }];
  });
  const others = running.flatMap((alert): AlertChange[] => {
    const { alertId, calmSince } = alert;
    const reading = find(readings, alert);
    // Without a reading the rule is off, or its channel is gone.
    const isGone = !reading || isCalm(reading, settingsOf(reading.rule).threshold);
    if (!isGone) return calmSince === null ? [] : [{ kind: 'calm', alertId, since: null }];
    if (calmSince === null) return [{ kind: 'calm', alertId, since: now }];
    return now - calmSince >= calmMs ? [{ kind: 'end', alertId }] : [];
  });
  return [...begins, ...others];
}
