/**
 * LINE's monthly quota of messages: what it is, what of it is used, and where the month is heading (figures.md, section 14).
 */
import type { Queryable } from '../database/client.ts';
import { addDays, dayMs, dayOf, daysBetween, lineDayStart, lineZone } from '../time.ts';
import type { LineAnswer } from './answers.ts';
import { findLatest } from './snapshots.ts';

export type QuotaState = {
  /** Messages of a month; null: LINE limits none, or was never asked. */
  quota: number | null;
  /** As LINE told it on `day`; null: it was never asked. */
  used: number | null;
  day: string | null;
  /** The current month in UTC+9, YYYY-MM, and what was used by its days up to today; null: LINE told nothing that day. */
  month: string;
  days: { day: string; used: number | null }[];
  /** When the month goes on as it has up to then; null: nothing is known of this month, or of less than a day of it. */
  expectedAtMonthEnd: number | null;
};

/** Less of a month tells nothing of the rest. */
const measuredMsMin = dayMs;

/** The quota at `now` (ms). */
export async function readQuota(sql: Queryable, botId: string, now: number): Promise<QuotaState> {
  const today = dayOf(now, lineZone);
  const month = today.slice(0, 7);
  const first = `${month}-01`;
  const [latest, told] = await Promise.all([
    findLatest(sql, botId, 'quota'),
    sql<{ day: string; value: LineAnswer }[]>`
      select to_char(day, 'YYYY-MM-DD') as day, value from snapshots
      where bot_id = ${botId} and kind = 'quota' and day between ${first} and ${today}`,
  ]);
  const usedOn = new Map(told.map(({ day, value }) => [day, countOf(value.totalUsage)]));
  const days = daysBetween(first, today).map((day) => ({ day, used: usedOn.get(day) ?? null }));
  const used = countOf(latest?.value.totalUsage);
  const isOfMonth = latest !== null && latest.day >= first && latest.day <= today;
  return {
    quota: countOf(latest?.value.value),
    used,
    day: latest?.day ?? null,
    month,
    days,
    expectedAtMonthEnd:
      isOfMonth && used !== null ? expectedOf(used, { at: latest.receivedAt.getTime(), first }) : null,
  };
}

/** Worked example: 100 used at noon on the 10th of 30 days, 9.5 days in: 100 × 30 ÷ 9.5 = 316. */
function expectedOf(used: number, { at, first }: { at: number; first: string }): number | null {
  const start = lineDayStart(first);
  const end = lineDayStart(`${addDays(first, 31).slice(0, 7)}-01`);
  const passed = Math.min(at, end) - start;
  return passed < measuredMsMin ? null : Math.round((used * (end - start)) / passed);
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
