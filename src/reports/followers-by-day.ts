/**
 * Followers and blocks at the end of each day, as running totals (figures.md, section 4). They come from the same stored rows as
 * the current figures, so today's value equals that of the client analysis.
 *
 * Days are days of the bot's zone. A LINE channel with follower snapshots uses LINE's days in UTC+9 instead, as LINE's own
 * figures do (section 11). Its value is the latest ready snapshot up to the day, plus the changes after it.
 */
import { type Bot, findBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { readFollowerDays } from '../line/daily-figures.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { firstReported } from '../rollups/follower-changes.ts';
import { dayOf, daysBetween } from '../time.ts';
import { selectConnected } from './series.ts';
import { readSnapshot } from './timeouts.ts';
import { type BotFigures, readFigures } from './totals.ts';

type FollowerDay = { day: string; followers: number; blocks: number };
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
  return readSnapshot(sql, async (tx) => {
    const [bot, figures] = await Promise.all([findBot(tx, botId), readFigures(tx, botId, now)]);
    return followersByDayWithin(tx, bot, { from, to, now, figures });
  });
}

/** The same within a repeatable-read transaction that has already read the bot and its figures of `now`. */
export async function followersByDayWithin(
  tx: Transaction,
  { botId, timeZone }: Bot,
  { from, to, now, figures }: { from: string; to: string; now: number; figures: BotFigures | null },
): Promise<FollowersByDay> {
  const today = dayOf(now, timeZone);
  const days = daysBetween(from, to < today ? to : today);
  const [connected, changes] = await Promise.all([
    selectConnected(tx, botId),
    readChanges(tx, botId, { timeZone, from }),
  ]);
  const lineDays = connected.includes('line') ? await readLineDays(tx, botId, days) : null;
  const daysOf = (platform: PlatformName): FollowerDay[] => {
    if (!connected.includes(platform)) return days.map((day) => ({ day, ...zeroCounts }));
    const own = changes.filter((row) => row.platform === platform);
    const past = platform === 'line' && lineDays !== null ? lineDays : runningTotals(days, own);
    const { followers, blocks } = figures?.platforms[platform] ?? zeroCounts;
    return past.map((counts) => ({ ...counts, ...(counts.day === today ? { followers, blocks } : {}) }));
  };
  return Object.fromEntries(platformNames.map((name) => [name, daysOf(name)])) as FollowersByDay;
}

const zeroCounts = { followers: 0, blocks: 0 };

/** The changes by day. Those up to `from` are summed into one row. */
async function readChanges(
  tx: Transaction,
  botId: string,
  { timeZone, from }: { timeZone: string; from: string },
): Promise<(FollowerDay & { platform: PlatformName })[]> {
  return tx`
    select platform, to_char(greatest(day, ${from}), 'YYYY-MM-DD') as day, sum(followers)::bigint as followers,
      sum(blocks)::bigint as blocks
    from days
    where bot_id = ${botId} and zone = ${timeZone} and (followers <> 0 or blocks <> 0)
    group by 1, 2`;
}

/** LINE's days, in UTC+9; null: LINE has not reported its followers yet. */
async function readLineDays(
  tx: Transaction,
  botId: string,
  days: readonly string[],
): Promise<FollowerDay[] | null> {
  const [row] = await tx<{ isReported: boolean }[]>`
    select ${firstReported(tx, botId)} is not null as "isReported"`;
  if (!row?.isReported) return null;
  const read = await readFollowerDays(
    tx,
    days.map((day) => ({ botId, day })),
  );
  return days.map((day, index) => {
    const { followers, blocks } = read[index]?.snapshot ?? read[index]?.own ?? zeroCounts;
    return { day, followers: Number(followers), blocks: Number(blocks) };
  });
}

/** The sums of the changes up to the end of each day. */
function runningTotals(days: readonly string[], changes: readonly FollowerDay[]): FollowerDay[] {
  const changeOn = new Map(changes.map((change) => [change.day, change]));
  let sum = zeroCounts;
  return days.map((day) => {
    const { followers, blocks } = changeOn.get(day) ?? zeroCounts;
    sum = { followers: sum.followers + followers, blocks: sum.blocks + blocks };
    return { day, ...sum };
  });
}
