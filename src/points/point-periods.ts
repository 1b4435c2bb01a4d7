/**
 * Points of a bot by period: earned, spent, corrected, expired, and outstanding at the end.
 *
 * A change counts when it is written, and points count as expired at their expiry, even if they are written off later (figures.md,
 * section 8). Past days therefore never change. A job stores them (`storePointDays`), and a read adds newer entries. Reads are
 * right however many days are stored.
 */
import { type Bot, findBot } from '../bots/bots.ts';
import type { Fragment, Queryable, Sql, Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { dayMs, dayOf, dayStart, daysBetween, hourMs } from '../time.ts';

export type PointSums = {
  earned: number;
  spent: number;
  /** By adjustments, reversals and clears; negative if they took more than they added. */
  corrected: number;
  expired: number;
};
export type PointPeriod = PointSums & {
  /** At the end of the period, or at `now` if that is earlier; null: the period lies in the future. */
  outstanding: number | null;
};
/** `before`: outstanding when the first period begins. */
export type PointPeriods = { before: number; periods: PointPeriod[] };

type Zoned = Pick<Bot, 'botId' | 'timeZone'>;

/**
 * The periods from each day to the next one (of the bot's zone, ascending; the last day is the end). For every period,
 * outstanding = previous outstanding + earned − spent + corrected − expired. Needs a transaction with one snapshot.
 */
export async function pointPeriodsWithin(
  tx: Transaction,
  bot: Zoned,
  { days, now }: { days: readonly string[]; now: number },
): Promise<PointPeriods> {
  const storedUntil = await findPosition(tx, bot);
  const rows = await Promise.all([
    storedUntil === null ? [] : selectStored(tx, bot.botId, days),
    sumChanges(tx, bot, { days, from: storedUntil, now }),
  ]);
  const sums = new Map<number, PointSums>();
  for (const { period, ...change } of rows.flat()) {
    sums.set(period, add(sums.get(period) ?? nothing, change));
  }
  let outstanding = balanceAfter(0, sums.get(0) ?? nothing);
  const before = outstanding;
  const periods = days.slice(0, -1).map((day, index) => {
    const change = sums.get(index + 1) ?? nothing;
    outstanding = balanceAfter(outstanding, change);
    return { ...change, outstanding: dayStart(day, bot.timeZone) > now ? null : outstanding };
  });
  return { before, periods };
}

/** `pointPeriodsWithin` in a transaction of its own. */
export async function readPointPeriods(
  sql: Sql,
  bot: Zoned,
  range: { days: readonly string[]; now: number },
): Promise<PointPeriods> {
  return sql.begin('isolation level repeatable read read only', (tx) =>
    pointPeriodsWithin(tx, bot, range),
  ) as Promise<PointPeriods>;
}

/** Exceeds the lag of any server's clock and the time of any change. */
const settledMs = hourMs;

/** Stores the days that are over at `now` (ms). Safe to repeat, by any number of processes. Throws BOT_NOT_FOUND. */
export async function storePointDays(sql: Sql, botId: string, { now }: { now: number }): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`
      insert into point_day_positions (bot_id, zone, kept_until) values (${botId}, '', '-infinity')
      on conflict (bot_id) do nothing`;
    await tx`select from point_day_positions where bot_id = ${botId} for update`;
    const bot = await findBot(tx, botId);
    const zone = bot.timeZone;
    const today = dayOf(now - settledMs, zone);
    const storedUntil = await findPosition(tx, bot);
    const from = storedUntil ?? (await firstEntryAt(tx, botId));
    if (from === null) return;
    if (storedUntil === null) await tx`delete from point_days where bot_id = ${botId}`;
    const days = daysBetween(dayOf(from, zone), today);
    if (days.length < 2) return;
    await insertDays(tx, botId, days, await sumChanges(tx, bot, { days, from: storedUntil, now }));
    await tx`
      update point_day_positions set zone = ${zone}, kept_until = ${new Date(dayStart(today, zone))}
      where bot_id = ${botId}`;
  });
}

/** For queries over `bots`: true if `storePointDays` may store days of the bot. */
export function hasNewPointDays(sql: Queryable, bot: Fragment, { now }: { now: number }): Fragment {
  return sql`(
    (select true from point_entries where point_entries.bot_id = ${bot} limit 1) and coalesce(
      (select zone <> bots.time_zone or kept_until <= ${new Date(now - dayMs)}
        from point_day_positions where point_day_positions.bot_id = ${bot}), true))`;
}

/** A stored day that differs from the entries and lots. */
export type PointDayDifference = { day: string; kept: PointSums; recounted: PointSums };

/** The stored days that are wrong; empty: all are right. Needs a transaction with one snapshot. */
export async function wrongPointDays(tx: Transaction, bot: Zoned): Promise<PointDayDifference[]> {
  const storedUntil = await findPosition(tx, bot);
  const firstAt = storedUntil === null ? null : await firstEntryAt(tx, bot.botId);
  if (storedUntil === null || firstAt === null) return [];
  const days = daysBetween(dayOf(firstAt, bot.timeZone), dayOf(storedUntil, bot.timeZone));
  const [stored, recounted] = await Promise.all([
    selectStored(tx, bot.botId, days),
    sumChanges(tx, bot, { days, from: null, now: storedUntil }),
  ]);
  const sumsOf = (rows: readonly PeriodSums[], period: number): PointSums => {
    const { period: _, ...sums } = rows.find((row) => row.period === period) ?? { period, ...nothing };
    return sums;
  };
  return days.slice(0, -1).flatMap((day, index) => {
    const [kept, expected] = [sumsOf(stored, index + 1), sumsOf(recounted, index + 1)];
    return JSON.stringify(kept) === JSON.stringify(expected) ? [] : [{ day, kept, recounted: expected }];
  });
}

/** Discards the stored days; the next `storePointDays` stores them again. */
export async function dropPointDays(tx: Transaction, botId: string): Promise<void> {
  await tx`delete from point_day_positions where bot_id = ${botId}`;
}

type PeriodSums = PointSums & { period: number };
const nothing: PointSums = { earned: 0, spent: 0, corrected: 0, expired: 0 };

/** ms; null: the bot has no entries. */
async function firstEntryAt(sql: Queryable, botId: string): Promise<number | null> {
  const [first] = await sql<{ at: Date | null }[]>`
    select min(created_at) as at from point_entries where bot_id = ${botId}`;
  return first?.at?.getTime() ?? null;
}

/** The moment (ms) up to which days of the bot's zone are stored; null: none are. */
async function findPosition(sql: Queryable, { botId, timeZone }: Zoned): Promise<number | null> {
  const [row] = await sql<{ storedUntil: Date }[]>`
    select kept_until as "storedUntil" from point_day_positions where bot_id = ${botId} and zone = ${timeZone}`;
  return row?.storedUntil.getTime() ?? null;
}

/** By period, counted from 1; 0: before the first day. */
async function selectStored(sql: Queryable, botId: string, days: readonly string[]): Promise<PeriodSums[]> {
  return sql<PeriodSums[]>`
    select width_bucket(day, ${days as string[]}::date[]) as period, sum(earned)::float8 as earned,
      sum(spent)::float8 as spent, sum(corrected)::float8 as corrected, sum(expired)::float8 as expired
    from point_days
    where bot_id = ${botId} and day < ${days.at(-1) ?? null}
    group by period`;
}

/** Changes since `from` (ms; null: all), and expiries until `now`. */
async function sumChanges(
  sql: Queryable,
  { botId, timeZone }: Zoned,
  { days, from, now }: { days: readonly string[]; from: number | null; now: number },
): Promise<PeriodSums[]> {
  const starts = days.map((day) => new Date(dayStart(day, timeZone)).toISOString());
  const since = from === null ? null : new Date(from);
  // Points are written off at their expiry or later, so older entries cannot belong to these days.
  return sql<PeriodSums[]>`
    select width_bucket(at, ${starts}::timestamptz[]) as period,
      coalesce(sum(amount) filter (where kind = 'earn'), 0)::float8 as earned,
      coalesce(-sum(amount) filter (where kind = 'spend'), 0)::float8 as spent,
      coalesce(sum(amount) filter (where kind not in ('earn', 'spend', 'expire')), 0)::float8 as corrected,
      coalesce(-sum(amount) filter (where kind = 'expire'), 0)::float8 as expired
    from (
      select case kind when 'expire' then expires_at else created_at end as at, kind, amount
      from point_entries
      where bot_id = ${botId} ${since === null ? sql`` : sql`and created_at >= ${since}`}
      union all
      select expires_at, 'expire', -remaining from point_lots
      where bot_id = ${botId} and expires_at <= ${new Date(now)}
        ${since === null ? sql`` : sql`and expires_at >= ${since}`}
    ) change
    where at < ${starts.at(-1) ?? null}::timestamptz ${since === null ? sql`` : sql`and at >= ${since}`}
    group by period`;
}

async function insertDays(
  tx: Transaction,
  botId: string,
  days: readonly string[],
  sums: readonly PeriodSums[],
): Promise<void> {
  const rows = sums.filter(({ period }) => period > 0);
  await tx`
    insert into point_days (bot_id, day, earned, spent, corrected, expired)
    select ${botId}, sums.* from ${rowTable(tx, 'sums', rows, {
      day: ['date', ({ period }) => days[period - 1] ?? ''],
      earned: ['bigint', ({ earned }) => earned],
      spent: ['bigint', ({ spent }) => spent],
      corrected: ['bigint', ({ corrected }) => corrected],
      expired: ['bigint', ({ expired }) => expired],
    })}`;
}

function add(sums: PointSums, change: PointSums): PointSums {
  return {
    earned: sums.earned + change.earned,
    spent: sums.spent + change.spent,
    corrected: sums.corrected + change.corrected,
    expired: sums.expired + change.expired,
  };
}

function balanceAfter(before: number, { earned, spent, corrected, expired }: PointSums): number {
  return before + earned - spent + corrected - expired;
}
