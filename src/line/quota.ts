/**
 * LINE's monthly message quota: its size, its use, and the expected use at the end of the month (figures.md, section 14).
 */
import type { components } from '../../contracts/types/management.ts';
import type { Queryable } from '../database/client.ts';
import { addDays, dayMs, dayOf, daysBetween, lineDayStart, lineZone } from '../time.ts';
import { findLatest } from './snapshots.ts';

type QuotaState = Omit<components['schemas']['LineQuota'], 'botId'>;

/** A shorter part of the month does not allow a forecast. */
const measuredMsMin = dayMs;

/** Returns the quota at `now` (ms). */
export async function readQuota(sql: Queryable, botId: string, now: number): Promise<QuotaState> {
  const today = dayOf(now, lineZone);
  const month = today.slice(0, 7);
  const first = `${month}-01`;
  const [latest, reports] = await Promise.all([
    findLatest(sql, botId, 'quota'),
    sql<{ day: string; used: number }[]>`
      select to_char(day, 'YYYY-MM-DD') as day, (value->>'totalUsage')::float8 as used from snapshots
      where bot_id = ${botId} and kind = 'quota' and day between ${first} and ${today}`,
  ]);
  const usedOn = new Map(reports.map(({ day, used }) => [day, used]));
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

/** Worked example: 100 used at noon on the 10th of a month of 30 days, after 9.5 days: 100 × 30 ÷ 9.5 = 316. */
export function expectedOf(used: number, { at, first }: { at: number; first: string }): number | null {
  const start = lineDayStart(first);
  const end = lineDayStart(`${addDays(first, 31).slice(0, 7)}-01`);
  const elapsedMs = Math.min(at, end) - start;
  return elapsedMs < measuredMsMin ? null : Math.round((used * (end - start)) / elapsedMs);
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
