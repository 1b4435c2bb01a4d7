/**
 * Followers at the end of each day, as running totals (figures.md, section 4), from the same kept rows as the figure of now:
 * the last day, today, shows what the client analysis shows.
 *
 * Days are those of the bot's zone. A LINE channel with follower snapshots goes by LINE's days in UTC+9, as LINE's own figure
 * for a date does (section 11): the latest ready snapshot up to the day, and the first follows after it.
 */
import { findBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/database.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { addDays, dayOf, lineZone } from '../time.ts';
import { readFigures } from './figures.ts';

export type DayCount = { day: string; count: number };
export type FollowerSeries = Record<PlatformName, DayCount[]>;

/**
 * Each platform's followers at the end of the days from `from` to `to`, both included, at most up to today; empty when `from` is
 * later. A platform without channel has 0. Throws BOT_NOT_FOUND.
 */
export async function readFollowerSeries(
  sql: Sql,
  { botId, from, to, now }: { botId: string; from: string; to: string; now: number },
): Promise<FollowerSeries> {
  // One snapshot of the database, so that the days and the figure of now cannot tell of different moments.
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    const { timeZone } = await findBot(tx, botId);
    const today = dayOf(now, timeZone);
    const days = daysBetween(from, to < today ? to : today);
    const figures = await readFigures(tx, botId, now);
    const [channels, follows, snapshots] = await Promise.all([
      tx<{ platform: PlatformName }[]>`select platform from channels where bot_id = ${botId}`,
      readFollows(tx, botId, timeZone),
      readSnapshots(tx, botId),
    ]);
    const of = (platform: PlatformName): DayCount[] => {
      if (!channels.some((channel) => channel.platform === platform))
        return days.map((day) => ({ day, count: 0 }));
      const told = platform === 'line' ? snapshots : [];
      const zone = told.length > 0 ? lineZone : timeZone;
      const until = runningTotal(follows.filter((row) => row.platform === platform && row.zone === zone));
      const at = (day: string) => {
        const base = told.findLast((snapshot) => snapshot.day <= day);
        return base ? base.followers + until(day) - until(base.day) : until(day);
      };
      return days.map((day) => ({
        day,
        count: day === today ? (figures?.platforms[platform].followers ?? 0) : at(day),
      }));
    };
    return Object.fromEntries(platformNames.map((name) => [name, of(name)])) as FollowerSeries;
  }) as Promise<FollowerSeries>;
}

type Follows = { platform: PlatformName; zone: string; day: string; followers: number };

async function readFollows(tx: Transaction, botId: string, timeZone: string): Promise<Follows[]> {
  return tx<Follows[]>`
    select platform, zone, to_char(day, 'YYYY-MM-DD') as day, followers from days
    where bot_id = ${botId} and zone in (${timeZone}, ${lineZone}) and followers <> 0
    order by days.day`;
}

async function readSnapshots(tx: Transaction, botId: string): Promise<{ day: string; followers: number }[]> {
  return tx<{ day: string; followers: number }[]>`
    select to_char(day, 'YYYY-MM-DD') as day, (value->>'followers')::float8 as followers from snapshots
    where bot_id = ${botId} and kind = 'followers' and status = 'ready' order by snapshots.day`;
}

/** The sum of the rows, which are in order of their days, up to the end of a day. */
function runningTotal(rows: readonly Follows[]): (day: string) => number {
  let sum = 0;
  const sums = rows.map(({ day, followers }) => {
    sum += followers;
    return { day, sum };
  });
  return (day) => sums.findLast((row) => row.day <= day)?.sum ?? 0;
}

function daysBetween(from: string, to: string): string[] {
  const days: string[] = [];
  for (let day = from; day <= to; day = addDays(day, 1)) days.push(day);
  return days;
}
