/**
 * The overview of a bot over a range of days (figures.md, section 14): each figure with its value in the previous period, by
 * platform and for all platforms, and its values by day. It reads stored counters in one snapshot of the database, so its cost
 * does not depend on the number of events.
 */
import type { components } from '../../contracts/types/management.ts';
import { type Bot, findBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { type PointPeriods, pointPeriodsWithin } from '../points/point-periods.ts';
import { addDays, dayOf, daysBetween } from '../time.ts';
import { type FollowersByDay, followersByDayWithin } from './followers-by-day.ts';
import { averageMessages, averageSeconds, type ConversationSums, growthRate, tagCoverRate } from './rates.ts';
import { type Line, readSeriesWithin, type SeriesFigure, selectConnected, seriesFigures } from './series.ts';
import { readSnapshot } from './timeouts.ts';
import { type BotFigures, readFigures } from './totals.ts';

export type Overview = Omit<components['schemas']['Overview'], 'botId'>;
type Comparison = Overview['figures'][number];
type OverviewFigure = Comparison['figure'];
type PlatformOrAll = Comparison['platform'];

const defaultDays = 28;
const daysMax = 1_100;

/** Returns the overview, by default of the 28 days up to today. `now` in ms. Throws Refusal BOT_NOT_FOUND, INPUT_INVALID (range). */
export async function readOverview(
  sql: Sql,
  botId: string,
  { now, ...requestedRange }: RequestedRange & { now: number },
): Promise<Overview> {
  return readSnapshot(sql, async (tx) => {
    const bot = await findBot(tx, botId);
    const range = rangeOf(requestedRange, dayOf(now, bot.timeZone));
    return toOverview(range, await readSources(tx, bot, range, now));
  });
}

type RequestedRange = { from?: string | undefined; to?: string | undefined };

type Range = Pick<Overview, 'from' | 'to' | 'before' | 'days'> & { today: string };

function rangeOf(requested: RequestedRange, today: string): Range {
  const to = requested.to ?? today;
  const from = requested.from ?? addDays(to, 1 - defaultDays);
  const days = daysBetween(from, to);
  const count = days.length;
  if (count < 1 || count > daysMax) {
    throw new Refusal('INPUT_INVALID', `from must be 0 to ${daysMax - 1} days before to (${to}).`);
  }
  return { from, to, before: { from: addDays(from, -count), to: addDays(from, -1) }, days, today };
}

type Sources = {
  zone: string;
  platforms: PlatformName[];
  figures: BotFigures | null;
  /** From the last day of the previous period up to today. */
  followersByDay: FollowersByDay;
  lines: Line[];
  linesBefore: Line[];
  points: PointPeriods;
};

async function readSources(tx: Transaction, bot: Bot, range: Range, now: number): Promise<Sources> {
  const { from, to, before, days, today } = range;
  const { botId, timeZone: zone } = bot;
  const [platforms, { lines }, { lines: linesBefore }, figures, points] = await Promise.all([
    selectConnected(tx, botId),
    readSeriesWithin(tx, bot, { by: 'day', from, to, figures: seriesFigures }, { now }),
    readSeriesWithin(tx, bot, { by: 'month', ...before, figures: seriesFigures }, { now }),
    readFigures(tx, botId, now),
    pointPeriodsWithin(tx, bot, { days: [...days, addDays(to, 1)], now }),
  ]);
  const followersFrom = before.to < today ? before.to : today;
  const followersByDay = await followersByDayWithin(tx, bot, { from: followersFrom, to, now, figures });
  return { zone, platforms, figures, followersByDay, lines, linesBefore, points };
}

function toOverview({ from, to, before, days, today }: Range, sources: Sources): Overview {
  const { zone, platforms, points } = sources;
  const upToToday = <Value>(values: readonly Value[]): (Value | null)[] =>
    days.map((day, index) => (day > today ? null : (values[index] ?? null)));
  const all = [...platforms, 'all' as const].map((platform) => summarize(sources, platform));
  const outstanding = points.periods.map((period) => period.outstanding);
  const pointsNow = outstanding.findLast((value) => value !== null) ?? points.before;
  return {
    ...{ zone, from, to, before },
    figures: [
      ...all.flatMap(({ comparisons }) => comparisons),
      compare('all', 'pointsOutstanding', pointsNow, points.before),
    ],
    days,
    series: [
      ...all.flatMap(({ platform, daily }) =>
        daily.map(([figure, values]) => ({ platform, figure, values: upToToday(values) })),
      ),
      { platform: 'all', figure: 'pointsOutstanding', values: outstanding },
    ],
  };
}

/** The figures of one platform, or of all platforms. */
function summarize(
  { platforms, figures, followersByDay, lines, linesBefore }: Sources,
  platform: PlatformOrAll,
): { platform: PlatformOrAll; comparisons: Comparison[]; daily: [OverviewFigure, (number | null)[]][] } {
  const names = platform === 'all' ? platforms : [platform];
  const totalsByDay = (figure: 'followers' | 'blocks') =>
    followersByDay.line.map((_, index) => total(names, (name) => followersByDay[name][index]?.[figure] ?? 0));
  const [followers, blocks] = [totalsByDay('followers'), totalsByDay('blocks')];
  const current = {
    taggedContacts: total(names, (name) => figures?.platforms[name].taggedContacts ?? 0),
    followers: total(names, (name) => figures?.platforms[name].followers ?? 0),
  };
  const compareSums = (figure: OverviewFigure, series: SeriesFigure) =>
    compare(platform, figure, sumOf(lines, platform, series), sumOf(linesBefore, platform, series));
  const compareAverages = (figure: OverviewFigure, average: Average) =>
    compare(platform, figure, averageOf(lines, platform, average), averageOf(linesBefore, platform, average));
  return {
    platform,
    comparisons: [
      compare(platform, 'followers', followers.at(-1) ?? null, followers[0] ?? null),
      compareSums('newFollowers', 'followers'),
      compare(platform, 'blocks', blocks.at(-1) ?? null, blocks[0] ?? null),
      compareSums('newBlocks', 'blocks'),
      ...dailyFigures.map((figure) => compareSums(figure, figure)),
      compareAverages('averageConversationMessages', averageMessages),
      compareAverages('averageConversationSeconds', averageSeconds),
      // Shoal does not store how many contacts were tagged at an earlier time.
      compare(platform, 'tagCoverRate', tagCoverRate(current), null),
    ],
    daily: [
      ['followers', followers.slice(1)],
      ['blocks', blocks.slice(1)],
      ...dailyFigures.map((figure): [OverviewFigure, (number | null)[]] => [
        figure,
        lineOf(lines, platform, figure)?.values ?? [],
      ]),
    ],
  };
}

function lineOf(lines: readonly Line[], platform: PlatformOrAll, figure: SeriesFigure): Line | undefined {
  return lines.find((line) => line.platform === platform && line.figure === figure);
}

function sumOf(lines: readonly Line[], platform: PlatformOrAll, figure: SeriesFigure): number | null {
  return lineOf(lines, platform, figure)?.sum ?? null;
}

type Average = (sums: ConversationSums) => number;

/** Null without conversations. */
function averageOf(lines: readonly Line[], platform: PlatformOrAll, average: Average): number | null {
  const sums = {
    conversations: sumOf(lines, platform, 'conversations') ?? 0,
    conversationMessages: sumOf(lines, platform, 'conversationMessages') ?? 0,
    conversationMs: sumOf(lines, platform, 'conversationMs') ?? 0,
  };
  return sums.conversations === 0 ? null : average(sums);
}

const dailyFigures = ['inbound', 'outbound', 'messages', 'conversations'] as const;

function total(names: readonly PlatformName[], of: (name: PlatformName) => number): number {
  return names.reduce((sum, name) => sum + of(name), 0);
}

function compare(
  platform: PlatformOrAll,
  figure: OverviewFigure,
  now: number | null,
  before: number | null,
): Comparison {
  const isKnown = now !== null && before !== null;
  return {
    ...{ figure, platform, now, before },
    change: isKnown ? now - before : null,
    changeRate: isKnown ? growthRate(now, before) : null,
  };
}
