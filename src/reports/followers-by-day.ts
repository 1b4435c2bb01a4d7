/**
 * Followers and blocks at the end of each day, as running totals (figures.md, section 4). They come from the same stored rows as
 * the current figures, so today's value equals that of the client analysis.
 *
 * Days are days of the bot's zone. A LINE channel with follower snapshots uses LINE's days in UTC+9 instead, as LINE's own
 * figures do (section 11). Its value is the latest ready snapshot up to the day, plus the changes after it.
 */
import { type Bot, findBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { blocksChange, followersChange } from '../rollups/follower-changes.ts';
import { dayOf, daysBetween, lineZone } from '../time.ts';
import { type BotFigures, readFigures } from './totals.ts';

export type FollowerDay = { day: string; followers: number; blocks: number };
export type FollowersByDay = Record<PlatformName, FollowerDay[]>;

/**
 * Returns each platform's followers and blocks at the end of the days from `from` to `to`, both included, at most up to today.
 * The lists are empty if `from` is later than that. A platform without a channel has 0. Throws BOT_NOT_FOUND.
 */
export async function readFollowersByDay(
  sql: Sql,
  { botId, from, to, now }: { botId: string; from: string; to: string; now: number },
): Promise<FollowersByDay> {
  // One snapshot of the database, so that past days and current figures agree.
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    const [bot, figures] = await Promise.all([findBot(tx, botId), readFigures(tx, botId, now)]);
    return followersByDayWithin(tx, bot, { from, to, now, figures });
  }) as Promise<FollowersByDay>;
}

/** The same within a repeatable-read transaction that has already read the bot and its figures of `now`. */
export async function followersByDayWithin(
  tx: Transaction,
  { botId, timeZone }: Bot,
  { from, to, now, figures }: { from: string; to: string; now: number; figures: BotFigures | null },
): Promise<FollowersByDay> {
  const today = dayOf(now, timeZone);
  const days = daysBetween(from, to < today ? to : today);
  const [channels, changes, snapshots] = await Promise.all([
    tx<{ platform: PlatformName }[]>`select platform from channels where bot_id = ${botId}`,
    readChanges(tx, botId, { timeZone, from }),
    readSnapshots(tx, botId),
  ]);
  const daysOf = (platform: PlatformName): FollowerDay[] => {
    if (!channels.some((channel) => channel.platform === platform))
      return days.map((day) => ({ day, ...zeroCounts }));
    const ownSnapshots = platform === 'line' ? snapshots : [];
    const zone = ownSnapshots.length > 0 ? lineZone : timeZone;
    const totalAt = runningTotals(changes.filter((row) => row.platform === platform && row.zone === zone));
    const countsAt = (day: string): Counts => {
      const [base, total] = [lastUpTo(ownSnapshots, day), totalAt(day)];
      if (base === undefined) return total;
      const totalAtBase = totalAt(base.day);
      return {
        followers: base.followers + total.followers - totalAtBase.followers,
        blocks: Math.max(0, base.blocks + total.blocks - totalAtBase.blocks),
      };
    };
    const { followers, blocks } = figures?.platforms[platform] ?? zeroCounts;
    return days.map((day) => ({ ...(day === today ? { followers, blocks } : countsAt(day)), day }));
  };
  return Object.fromEntries(platformNames.map((name) => [name, daysOf(name)])) as FollowersByDay;
}

type Counts = { followers: number; blocks: number };
type Change = Counts & { platform: PlatformName; zone: string; day: string };

const zeroCounts: Counts = { followers: 0, blocks: 0 };

/** The changes by day. Changes up to `from`, or up to LINE's latest snapshot before it, are summed into one row. */
async function readChanges(
  tx: Transaction,
  botId: string,
  { timeZone, from }: { timeZone: string; from: string },
): Promise<Change[]> {
  return tx<Change[]>`
    select platform, zone, to_char(greatest(days.day, base.day), 'YYYY-MM-DD') as day,
      sum(${followersChange(tx, botId)})::bigint as followers, sum(${blocksChange(tx, botId)})::bigint as blocks
    from days cross join (
      select coalesce(max(day), ${from}) as day from snapshots
      where bot_id = ${botId} and kind = 'followers' and status = 'ready' and day <= ${from}
    ) base
    where bot_id = ${botId} and (zone = ${timeZone} or platform = 'line' and zone = ${lineZone})
      and (followers <> 0 or blocks <> 0)
    group by platform, zone, greatest(days.day, base.day)
    order by greatest(days.day, base.day)`;
}

async function readSnapshots(tx: Transaction, botId: string): Promise<(Counts & { day: string })[]> {
  return tx<(Counts & { day: string })[]>`
    select to_char(day, 'YYYY-MM-DD') as day, (value->>'followers')::float8 as followers,
      (value->>'blocks')::float8 as blocks
    from snapshots
    where bot_id = ${botId} and kind = 'followers' and status = 'ready' order by snapshots.day`;
}

/** Takes rows in order of their days; returns the function from a day to the sum of the rows up to its end. */
function runningTotals(rows: readonly Change[]): (day: string) => Counts {
  let sum = zeroCounts;
  const sums = rows.map(({ day, followers, blocks }) => {
    sum = { followers: sum.followers + followers, blocks: sum.blocks + blocks };
    return { day, ...sum };
  });
  return (day) => lastUpTo(sums, day) ?? zeroCounts;
}

/** Returns the last row up to a day, from rows in order of their days. */
function lastUpTo<Row extends { day: string }>(rows: readonly Row[], day: string): Row | undefined {
  let [start, end] = [0, rows.length];
  while (start < end) {
    const middle = Math.floor((start + end) / 2);
    if ((rows[middle]?.day ?? '') <= day) start = middle + 1;
    else end = middle;
  }
  return rows[start - 1];
}
