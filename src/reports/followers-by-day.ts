/**
 * Followers and blocks at the end of each day, as running totals (figures.md, section 4), from the same kept rows as the figures
 * of now: the last day, today, shows what the client analysis shows.
 *
 * Days are those of the bot's zone. A LINE channel with follower snapshots goes by LINE's days in UTC+9, as LINE's own figures
 * for a date do (section 11): the latest ready snapshot up to the day, and what changed after it.
 */
import { type Bot, findBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { blocksChange, followersChange } from '../rollups/follower-changes.ts';
import { dayOf, daysBetween, lineZone } from '../time.ts';
import { type BotFigures, readFigures } from './totals.ts';

export type AudienceDay = { day: string; followers: number; blocks: number };
export type AudienceSeries = Record<PlatformName, AudienceDay[]>;

/**
 * Each platform's followers and blocks at the end of the days from `from` to `to`, both included, at most up to today; empty
 * when `from` is later. A platform without channel has 0. Throws BOT_NOT_FOUND.
 */
export async function readAudienceSeries(
  sql: Sql,
  { botId, from, to, now }: { botId: string; from: string; to: string; now: number },
): Promise<AudienceSeries> {
  // One snapshot of the database, so that the days and the figures of now cannot tell of different moments.
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    const [bot, figures] = await Promise.all([findBot(tx, botId), readFigures(tx, botId, now)]);
    return audienceSeriesWithin(tx, bot, { from, to, now, figures });
  }) as Promise<AudienceSeries>;
}

/** The same in a transaction that sees one state of the database, of a bot and its figures of `now` that were read in it. */
export async function audienceSeriesWithin(
  tx: Transaction,
  { botId, timeZone }: Bot,
  { from, to, now, figures }: { from: string; to: string; now: number; figures: BotFigures | null },
): Promise<AudienceSeries> {
  const today = dayOf(now, timeZone);
  const days = daysBetween(from, to < today ? to : today);
  const [channels, changes, snapshots] = await Promise.all([
    tx<{ platform: PlatformName }[]>`select platform from channels where bot_id = ${botId}`,
    readChanges(tx, botId, { timeZone, from }),
    readSnapshots(tx, botId),
  ]);
  const of = (platform: PlatformName): AudienceDay[] => {
    if (!channels.some((channel) => channel.platform === platform))
      return days.map((day) => ({ day, ...nobody }));
    const told = platform === 'line' ? snapshots : [];
    const zone = told.length > 0 ? lineZone : timeZone;
    const until = runningTotals(changes.filter((row) => row.platform === platform && row.zone === zone));
    const at = (day: string): Counts => {
      const [base, sums] = [lastUpTo(told, day), until(day)];
      if (base === undefined) return sums;
      const [before, followers] = [until(base.day), base.followers + sums.followers];
      const blocks = Math.max(0, base.blocks + sums.blocks - before.blocks);
      return { followers: followers - before.followers, blocks };
    };
    const { followers, blocks } = figures?.platforms[platform] ?? nobody;
    return days.map((day) => ({ ...(day === today ? { followers, blocks } : at(day)), day }));
  };
  return Object.fromEntries(platformNames.map((name) => [name, of(name)])) as AudienceSeries;
}

type Counts = { followers: number; blocks: number };
type Change = Counts & { platform: PlatformName; zone: string; day: string };

const nobody: Counts = { followers: 0, blocks: 0 };

/** The changes by day; those up to `from`, or to LINE's latest snapshot before it, are one. */
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

/** The sums of the rows, which are in order of their days, up to the end of a day. */
function runningTotals(rows: readonly Change[]): (day: string) => Counts {
  let sum = nobody;
  const sums = rows.map(({ day, followers, blocks }) => {
    sum = { followers: sum.followers + followers, blocks: sum.blocks + blocks };
    return { day, ...sum };
  });
  return (day) => lastUpTo(sums, day) ?? nobody;
}

/** Of rows in order of their days the last one up to a day. */
function lastUpTo<Row extends { day: string }>(rows: readonly Row[], day: string): Row | undefined {
  let [start, end] = [0, rows.length];
  while (start < end) {
    const middle = Math.floor((start + end) / 2);
    if ((rows[middle]?.day ?? '') <= day) start = middle + 1;
    else end = middle;
  }
  return rows[start - 1];
}
