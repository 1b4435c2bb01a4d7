/**
 * The overview of a bot over a range of days (figures.md, section 14): each figure with its value in the compared period, by
 * platform and for all platforms, and its values by day, week or month. It reads stored counters in one snapshot of the database,
 * so its cost does not depend on the number of events. Only a compared part of a day is counted, through indexes.
 */
import type { components } from '../../contracts/types/management.ts';
import { type Bot, findBot } from '../bots/bots.ts';
import { type ComparedPeriod, type Comparison, comparedPeriod, type DayRange } from '../comparison.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { type Period, type PeriodUnit, periodsOf } from '../periods.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { pointPeriodsWithin } from '../points/point-periods.ts';
import { addDays, countDays, dayOf, lastDay } from '../time.ts';
import { type FollowersByDay, followersByDayWithin } from './followers-by-day.ts';
import { averageMessages, averageSeconds, type ConversationSums, growthRate, tagCoverRate } from './rates.ts';
import {
  type Line,
  readComparedLines,
  readLines,
  type SeriesFigure,
  selectConnected,
  seriesFigures,
  spanOf,
} from './series.ts';
import { readSnapshot } from './timeouts.ts';
import { type BotFigures, readFigures } from './totals.ts';

export type Overview = Omit<components['schemas']['Overview'], 'botId'>;
type FigureComparison = Overview['figures'][number];
type OverviewFigure = FigureComparison['figure'];
type PlatformOrAll = FigureComparison['platform'];
type Values = (number | null)[];

const defaultDays = 28;
const daysMax = 3_700;
const periodsMax = 1_100;

/**
 * Returns the overview, by default of the 28 days up to today by day, compared with the previous period. `now` in ms. Throws
 * Refusal BOT_NOT_FOUND, INPUT_INVALID (range).
 */
export async function readOverview(
  sql: Sql,
  botId: string,
  { now, ...request }: RangeRequest & { now: number },
): Promise<Overview> {
  return readSnapshot(sql, async (tx) => {
    const bot = await findBot(tx, botId);
    const range = rangeOf(request, { now, zone: bot.timeZone });
    return toOverview(range, await readSources(tx, bot, range, now));
  });
}

export type RangeRequest = {
  from?: string | undefined;
  to?: string | undefined;
  by?: PeriodUnit | undefined;
  comparison?: Comparison | undefined;
};

type Range = {
  from: string;
  to: string;
  by: PeriodUnit;
  periods: Period[];
  comparison: Comparison;
  compared: ComparedPeriod | null;
  today: string;
  zone: string;
};

function rangeOf(
  { by = 'day', comparison = 'previous-period', ...requested }: RangeRequest,
  { now, zone }: { now: number; zone: string },
): Range {
  const today = dayOf(now, zone);
  const to = requested.to ?? today;
  const from = requested.from ?? addDays(to, 1 - defaultDays);
  const count = countDays(from, to);
  if (count < 1 || count > daysMax) {
    throw new Refusal('INPUT_INVALID', `from must be 0 to ${daysMax - 1} days before to (${to}).`);
  }
  const periods = periodsOf({ from, to, by });
  if (periods.length > periodsMax) {
    throw new Refusal('INPUT_INVALID', `by must be week or month for more than ${periodsMax} days.`);
  }
  const compared = comparedPeriod({ from, to, by }, comparison, { now, zone });
  return { from, to, by, periods, comparison, compared, today, zone };
}

type Sources = {
  platforms: PlatformName[];
  figures: BotFigures | null;
  now: PeriodSources;
  before: PeriodSources | null;
};

/** Of the range, or of the compared period. `levels` are numbers at the end of days. */
type PeriodSources = { lines: Line[]; levels: Levels };
type Levels = {
  /** The days of `followers`, from the first day up to today. */
  from: string;
  followers: FollowersByDay;
  /** At the end of each period; null: a later one. */
  points: Values;
  /** At the end of the last day. */
  pointsAtEnd: number | null;
};

async function readSources(tx: Transaction, bot: Bot, range: Range, now: number): Promise<Sources> {
  const { compared, zone } = range;
  const [platforms, figures] = await Promise.all([
    selectConnected(tx, bot.botId),
    readFigures(tx, bot.botId, now),
  ]);
  const scope = { zone, platforms, figures: seriesFigures };
  const [lines, linesBefore, levels, levelsBefore] = await Promise.all([
    readLines(tx, bot, { ...scope, periods: range.periods }),
    compared ? readComparedLines(tx, bot, scope, compared) : [],
    readLevels(tx, bot, range, { now, figures }),
    compared ? readLevels(tx, bot, compared, { now, figures }) : null,
  ]);
  const before = levelsBefore && { lines: linesBefore, levels: levelsBefore };
  return { platforms, figures, now: { lines, levels }, before };
}

async function readLevels(
  tx: Transaction,
  bot: Bot,
  { from, to, periods }: { from: string; to: string; periods: readonly (DayRange | null)[] },
  { now, figures }: { now: number; figures: BotFigures | null },
): Promise<Levels> {
  const ends = [...new Set([...periods.flatMap((period) => period?.last ?? []), to])].sort();
  const [followers, points] = await Promise.all([
    followersByDayWithin(tx, bot, { from, to, now, figures }),
    pointPeriodsWithin(tx, bot, { days: [from, ...ends.map((day) => addDays(day, 1))], now }),
  ]);
  const outstanding = points.periods.map((period) => period.outstanding);
  const pointsOf = (day: string | undefined) =>
    day === undefined ? null : (outstanding[ends.indexOf(day)] ?? null);
  return {
    ...{ from, followers },
    points: periods.map((period) => pointsOf(period?.last)),
    pointsAtEnd: outstanding.findLast((value) => value !== null) ?? points.before,
  };
}

function toOverview(range: Range, sources: Sources): Overview {
  const { from, to, by, zone, periods, compared, today } = range;
  const { platforms, now, before } = sources;
  const upToToday = (values: Values): Values =>
    periods.map(({ first }, index) => (first > today ? null : (values[index] ?? null)));
  const all = [...platforms, 'all' as const].map((platform) => ({
    platform,
    comparisons: summarize(sources, platform),
    values: valuesOf(sources, platform, now, periods),
    valuesBefore: before && compared ? valuesOf(sources, platform, before, compared.periods) : null,
  }));
  return {
    ...{ zone, from, to, by, comparison: range.comparison },
    before: compared && spanOf(compared, zone),
    figures: [
      ...all.flatMap(({ comparisons }) => comparisons),
      compare('all', 'pointsOutstanding', now.levels.pointsAtEnd, before?.levels.pointsAtEnd ?? null),
    ],
    days: periods.map(({ first }) => first),
    periods,
    series: [
      ...all.flatMap(({ platform, values, valuesBefore }) =>
        seriesOrder.map((figure) => ({
          ...{ platform, figure },
          values: upToToday(values[figure]),
          valuesBefore: valuesBefore?.[figure] ?? null,
        })),
      ),
      {
        ...{ platform: 'all' as const, figure: 'pointsOutstanding' as const },
        values: now.levels.points,
        valuesBefore: before?.levels.points ?? null,
      },
    ],
  };
}

const seriesOrder = [
  'followers',
  'blocks',
  'inbound',
  'outbound',
  'messages',
  'conversations',
  'newFollowers',
  'newBlocks',
] as const;

/** A platform's figures in each period. */
function valuesOf(
  { platforms }: Sources,
  platform: PlatformOrAll,
  { lines, levels }: PeriodSources,
  periods: readonly (DayRange | null)[],
): Record<(typeof seriesOrder)[number], Values> {
  const level = (figure: 'followers' | 'blocks') =>
    periods.map((period) => period && levelAt(platforms, platform, levels, figure, period.last));
  const sums = (figure: SeriesFigure) => lineOf(lines, platform, figure)?.values ?? [];
  return {
    ...{ followers: level('followers'), blocks: level('blocks') },
    ...{ inbound: sums('inbound'), outbound: sums('outbound') },
    ...{ messages: sums('messages'), conversations: sums('conversations') },
    ...{ newFollowers: sums('followers'), newBlocks: sums('blocks') },
  };
}

/** The number at the end of the day, or of the last known day before it; null: the levels begin after it. */
function levelAt(
  platforms: readonly PlatformName[],
  platform: PlatformOrAll,
  { from, followers }: Levels,
  figure: 'followers' | 'blocks',
  day: string,
): number | null {
  const index = Math.min(countDays(from, day), followers.line.length) - 1;
  if (index < 0) return null;
  return total(platform === 'all' ? platforms : [platform], (name) => followers[name][index]?.[figure] ?? 0);
}

/** The figures of one platform, or of all platforms, with their values in the compared period. */
function summarize(sources: Sources, platform: PlatformOrAll): FigureComparison[] {
  const { platforms, figures, now, before } = sources;
  const names = platform === 'all' ? platforms : [platform];
  const current = {
    taggedContacts: total(names, (name) => figures?.platforms[name].taggedContacts ?? 0),
    followers: total(names, (name) => figures?.platforms[name].followers ?? 0),
  };
  const compareBy = (figure: OverviewFigure, of: (period: PeriodSources) => number | null) =>
    compare(platform, figure, of(now), before && of(before));
  const compareLevels = (figure: 'followers' | 'blocks') =>
    compareBy(figure, ({ levels }) => levelAt(platforms, platform, levels, figure, lastDay));
  const compareSums = (figure: OverviewFigure, series: SeriesFigure) =>
    compareBy(figure, ({ lines }) => sumOf(lines, platform, series));
  const compareAverages = (figure: OverviewFigure, average: Average) =>
    compareBy(figure, ({ lines }) => averageOf(lines, platform, average));
  return [
    compareLevels('followers'),
    compareSums('newFollowers', 'followers'),
    compareLevels('blocks'),
    compareSums('newBlocks', 'blocks'),
    ...dailyFigures.map((figure) => compareSums(figure, figure)),
    compareAverages('averageConversationMessages', averageMessages),
    compareAverages('averageConversationSeconds', averageSeconds),
    // Shoal does not store how many contacts were tagged at an earlier time.
    compare(platform, 'tagCoverRate', tagCoverRate(current), null),
  ];
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
): FigureComparison {
  const isKnown = now !== null && before !== null;
  return {
    ...{ figure, platform, now, before },
    change: isKnown ? now - before : null,
    changeRate: isKnown ? growthRate(now, before) : null,
  };
}
