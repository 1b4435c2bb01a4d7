/**
 * Points of a bot by period: what was earned, spent and put right, what ran out, and what was outstanding at the end.
 *
 * A change belongs to the moment at which it was written; what runs out belongs to the moment of its expiry, whether it was
 * written off since or not (figures.md, section 8). So nothing of a day that is over can change any more: such days are kept
 * (`keepPointDays`, now and then), and a read adds up what came since. A read is right however far that has come.
 */
import { type Bot, findBot } from '../bots/bots.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { numberList, textList } from '../database/lists.ts';
import { dayOf, dayStart, daysBetween, hourMs } from '../time.ts';

/** Points by what became of them. */
export type PointSums = {
  earned: number;
  spent: number;
  /** Adjusted, reversed and cleared: what these added, negative for what they took. */
  corrected: number;
  expired: number;
};
export type PointPeriod = PointSums & {
  /** At the end of the period, or at `now` where that is earlier; null: the period is yet to come. */
  outstanding: number | null;
};
/** `before`: outstanding when the first period begins. */
export type PointPeriods = { before: number; periods: PointPeriod[] };

type Zoned = Pick<Bot, 'botId' | 'timeZone'>;

/**
 * The periods between each two of the days (of the bot's zone, ascending; the last one is in none). For every period
 * outstanding = outstanding before it + earned − spent + corrected − expired. In a transaction that sees one state.
 */
export async function pointPeriodsWithin(
  tx: Transaction,
  bot: Zoned,
  { days, now }: { days: readonly string[]; now: number },
): Promise<PointPeriods> {
  const keptUntil = await findPosition(tx, bot);
  const rows = await Promise.all([
    keptUntil === null ? [] : selectKept(tx, bot.botId, days),
    sumChanges(tx, bot, { days, from: keptUntil, now }),
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

/** The same in a transaction of its own. */
export async function readPointPeriods(
  sql: Sql,
  bot: Zoned,
  asked: { days: readonly string[]; now: number },
): Promise<PointPeriods> {
  return sql.begin('isolation level repeatable read read only', (tx) =>
    pointPeriodsWithin(tx, bot, asked),
  ) as Promise<PointPeriods>;
}

/** No clock of a server is further behind, and no change takes as long. */
const settledMs = hourMs;

/** Keeps the days that are over by now (ms). Safe to repeat, by any number of processes. Throws BOT_NOT_FOUND. */
export async function keepPointDays(sql: Sql, botId: string, { now }: { now: number }): Promise<void> {
  await sql.begin(async (tx) => {
    const [first] = await tx<{ at: Date | null }[]>`
      select min(created_at) as at from point_entries where bot_id = ${botId}`;
    if (!first?.at) return;
    await tx`
      insert into point_day_positions (bot_id, zone, kept_until) values (${botId}, '', '-infinity')
      on conflict (bot_id) do nothing`;
    await tx`select from point_day_positions where bot_id = ${botId} for update`;
    const bot = await findBot(tx, botId);
    const zone = bot.timeZone;
    const today = dayOf(now - settledMs, zone);
    const keptUntil = await findPosition(tx, bot);
    if (keptUntil === null) await tx`delete from point_days where bot_id = ${botId}`;
    const from = keptUntil ?? first.at.getTime();
    const days = daysBetween(dayOf(from, zone), today);
    if (days.length < 2) return;
    await insertDays(tx, botId, days, await sumChanges(tx, bot, { days, from: keptUntil, now }));
    await tx`
      update point_day_positions set zone = ${zone}, kept_until = ${new Date(dayStart(today, zone))}
      where bot_id = ${botId}`;
  });
}

/** A kept day that is not what the entries and lots say. */
export type PointDayDifference = { day: string; kept: PointSums; recounted: PointSums };

/** The kept days that are wrong; empty: all are right. For a transaction that sees one state. */
export async function wrongPointDays(tx: Transaction, bot: Zoned): Promise<PointDayDifference[]> {
  const keptUntil = await findPosition(tx, bot);
  const [first] = await tx<{ at: Date | null }[]>`
    select min(created_at) as at from point_entries where bot_id = ${bot.botId}`;
  if (keptUntil === null || !first?.at) return [];
  const days = daysBetween(dayOf(first.at.getTime(), bot.timeZone), dayOf(keptUntil, bot.timeZone));
  const [kept, recounted] = await Promise.all([
    selectKept(tx, bot.botId, days),
    sumChanges(tx, bot, { days, from: null, now: keptUntil }),
  ]);
  const sumsOf = (rows: readonly PeriodSums[], period: number): PointSums => {
    const { period: _, ...sums } = rows.find((row) => row.period === period) ?? { period, ...nothing };
    return sums;
  };
  return days.slice(0, -1).flatMap((day, index) => {
    const [is, shouldBe] = [sumsOf(kept, index + 1), sumsOf(recounted, index + 1)];
    return JSON.stringify(is) === JSON.stringify(shouldBe) ? [] : [{ day, kept: is, recounted: shouldBe }];
  });
}

/** Gives the kept days up: they are kept anew. */
export async function dropPointDays(tx: Transaction, botId: string): Promise<void> {
  await tx`delete from point_day_positions where bot_id = ${botId}`;
}

type PeriodSums = PointSums & { period: number };
const nothing: PointSums = { earned: 0, spent: 0, corrected: 0, expired: 0 };

/** Up to which moment (ms) days of the bot's zone are kept; null: none are. */
async function findPosition(sql: Queryable, { botId, timeZone }: Zoned): Promise<number | null> {
  const [row] = await sql<{ keptUntil: Date }[]>`
    select kept_until as "keptUntil" from point_day_positions where bot_id = ${botId} and zone = ${timeZone}`;
  return row?.keptUntil.getTime() ?? null;
}

/** By period, counted from 1; 0: before the first of the days. */
async function selectKept(sql: Queryable, botId: string, days: readonly string[]): Promise<PeriodSums[]> {
  return sql<PeriodSums[]>`
    select width_bucket(day, ${days as string[]}::date[]) as period, sum(earned)::float8 as earned,
      sum(spent)::float8 as spent, sum(corrected)::float8 as corrected, sum(expired)::float8 as expired
    from point_days
    where bot_id = ${botId} and day < ${days.at(-1) ?? null}
    group by period`;
}

/** What changed from a moment on (ms; null: from the beginning), up to `now` where it runs out by itself. */
async function sumChanges(
  sql: Queryable,
  { botId, timeZone }: Zoned,
  { days, from, now }: { days: readonly string[]; from: number | null; now: number },
): Promise<PeriodSums[]> {
  const starts = days.map((day) => new Date(dayStart(day, timeZone)).toISOString());
  const since = from === null ? null : new Date(from);
  // What runs out is written off at its expiry or later, so nothing that was written before can belong here.
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
  const column = (name: keyof PointSums) => numberList(rows.map((row) => row[name]));
  await tx`
    insert into point_days (bot_id, day, earned, spent, corrected, expired)
    select ${botId}, sums.* from unnest(${textList(rows.map(({ period }) => days[period - 1] ?? ''))}::date[],
      ${column('earned')}::bigint[], ${column('spent')}::bigint[], ${column('corrected')}::bigint[],
      ${column('expired')}::bigint[]) as sums`;
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
