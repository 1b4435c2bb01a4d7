/**
 * Points of a bot by period: what was earned, spent and put right, what ran out, and what was outstanding at the end.
 *
 * A change belongs to the moment at which it was written; what runs out belongs to the moment of its expiry, whether it was
 * written off since or not (figures.md, section 8).
 */
import type { Queryable } from '../database/database.ts';

export type PointPeriod = {
  earned: number;
  spent: number;
  /** Adjusted, reversed and cleared: what these added, negative for what they took. */
  corrected: number;
  expired: number;
  /** At the end of the period, or at `now` where that is earlier; null: the period is yet to come. */
  outstanding: number | null;
};

export type PointPeriods = { before: number; periods: PointPeriod[] };

/**
 * The periods between each two of the instants (ms, ascending); before = outstanding at the first of them. For every period
 * outstanding = outstanding before it + earned − spent + corrected − expired.
 */
export async function readPointPeriods(
  sql: Queryable,
  botId: string,
  { instants, now }: { instants: readonly number[]; now: number },
): Promise<PointPeriods> {
  const starts = instants.map((at) => new Date(at).toISOString());
  const rows = await sql<({ period: number } & Omit<PointPeriod, 'outstanding'>)[]>`
    select width_bucket(at, ${starts}::timestamptz[]) as period,
      coalesce(sum(amount) filter (where kind = 'earn'), 0)::float8 as earned,
      coalesce(-sum(amount) filter (where kind = 'spend'), 0)::float8 as spent,
      coalesce(sum(amount) filter (where kind not in ('earn', 'spend', 'expire')), 0)::float8 as corrected,
      coalesce(-sum(amount) filter (where kind = 'expire'), 0)::float8 as expired
    from (
      select case kind when 'expire' then expires_at else created_at end as at, kind, amount
      from point_entries where bot_id = ${botId}
      union all
      select expires_at, 'expire', -remaining from point_lots
      where bot_id = ${botId} and expires_at <= ${new Date(now)}
    ) change
    where at < ${starts.at(-1) ?? null}::timestamptz
    group by period`;
  const changes = new Map(rows.map(({ period, ...change }) => [period, change]));
  let outstanding = balanceAfter(0, changes.get(0) ?? nothing);
  const before = outstanding;
  const periods = instants.slice(0, -1).map((start, index) => {
    const change = changes.get(index + 1) ?? nothing;
    outstanding = balanceAfter(outstanding, change);
    return { ...change, outstanding: start > now ? null : outstanding };
  });
  return { before, periods };
}

const nothing = { earned: 0, spent: 0, corrected: 0, expired: 0 };

function balanceAfter(before: number, { earned, spent, corrected, expired }: typeof nothing): number {
  return before + earned - spent + corrected - expired;
}
