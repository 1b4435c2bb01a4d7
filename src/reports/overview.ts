/**
 * The overview of a bot over a range of days (figures.md, section 14): each figure beside what it was in the period before, by
 * platform and together, and its course by day. Everything from kept rows and one state of the database, so it costs the
 * same at any number of events.
 */
import { type Bot, findBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { type PointPeriods, pointPeriodsWithin } from '../points/point-periods.ts';
import { addDays, dayOf, daysBetween } from '../time.ts';
import { type AudienceSeries, audienceSeriesWithin } from './followers-by-day.ts';
import { averageMessages, averageSeconds, growthRate, tagCoverRate } from './rates.ts';
import { type Line, readSeriesWithin, type SeriesFigure, selectConnected } from './series.ts';
import { type BotFigures, readFigures } from './totals.ts';

export const overviewFigures = [
  'followers',
  'newFollowers',
  'blocks',
  'newBlocks',
  'inbound',
  'outbound',
  'messages',
  'conversations',
  'averageConversationMessages',
  'averageConversationSeconds',
  'tagCoverRate',
  'pointsOutstanding',
] as const;
export type OverviewFigure = (typeof overviewFigures)[number];

/** `now`: at the range's end, or of the whole range, as the figure is; null: not known. */
export type Compared = {
  figure: OverviewFigure;
  platform: PlatformName | 'all';
  now: number | null;
  before: number | null;
  change: number | null;
  changeRate: number | null;
};
export type Overview = {
  zone: string;
  from: string;
  to: string;
  /** The period of the same length that ends the day before. */
  before: { from: string; to: string };
  figures: Compared[];
  days: string[];
  /** A value for each day; null: it is yet to come, or LINE has not reported it. */
  series: { platform: PlatformName | 'all'; figure: OverviewFigure; values: (number | null)[] }[];
};

const daysShown = 28;
const daysMax = 1_100;

/** The overview; left out: the 28 days up to today. `now` in ms. Throws Refusal BOT_NOT_FOUND, INPUT_INVALID (range). */
export async function readOverview(
  sql: Sql,
  botId: string,
  { now, ...asked }: { from?: string | undefined; to?: string | undefined; now: number },
): Promise<Overview> {
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    const bot = await findBot(tx, botId);
    const range = rangeOf(asked, dayOf(now, bot.timeZone));
    return toOverview(range, await readParts(tx, bot, range, now));
  }) as Promise<Overview>;
}

type Range = {
  from: string;
  to: string;
  before: { from: string; to: string };
  days: string[];
  today: string;
};

function rangeOf(asked: { from?: string | undefined; to?: string | undefined }, today: string): Range {
  const to = asked.to ?? today;
  const from = asked.from ?? addDays(to, 1 - daysShown);
  const days = daysBetween(from, to);
  const count = days.length;
  if (count < 1 || count > daysMax) {
    throw new Refusal('INPUT_INVALID', `from must lie 0 to ${daysMax - 1} days before to, ${to}.`);
  }
  return { from, to, before: { from: addDays(from, -count), to: addDays(from, -1) }, days, today };
}

type Parts = {
  zone: string;
  platforms: PlatformName[];
  figures: BotFigures | null;
  /** From the end of the period before up to today. */
  audience: AudienceSeries;
  lines: Line[];
  linesBefore: Line[];
  points: PointPeriods;
};

async function readParts(tx: Transaction, bot: Bot, range: Range, now: number): Promise<Parts> {
  const { from, to, before, days, today } = range;
  const { botId, timeZone: zone } = bot;
  const [platforms, { lines }, { lines: linesBefore }, figures, points] = await Promise.all([
    selectConnected(tx, botId),
    readSeriesWithin(tx, bot, { by: 'day', from, to, figures: addedUp }, { now }),
    readSeriesWithin(tx, bot, { by: 'month', ...before, figures: addedUp }, { now }),
    readFigures(tx, botId, now),
    pointPeriodsWithin(tx, bot, { days: [...days, addDays(to, 1)], now }),
  ]);
  const audienceFrom = before.to < today ? before.to : today;
  const audience = await audienceSeriesWithin(tx, bot, { from: audienceFrom, to, now, figures });
  return { zone, platforms, figures, audience, lines, linesBefore, points };
}

const addedUp = [
  'followers',
  'blocks',
  'inbound',
  'outbound',
  'messages',
  'conversations',
  'conversationMessages',
  'conversationMs',
] as const satisfies readonly SeriesFigure[];

function toOverview({ from, to, before, days, today }: Range, parts: Parts): Overview {
  const { zone, platforms, points } = parts;
  const upToToday = <Value>(values: readonly Value[]): (Value | null)[] =>
    days.map((day, index) => (day > today ? null : (values[index] ?? null)));
  const all = [...platforms, 'all' as const].map((platform) => ofPlatform(parts, platform));
  const outstanding = points.periods.map((period) => period.outstanding);
  const pointsNow = outstanding.findLast((value) => value !== null) ?? points.before;
  return {
    ...{ zone, from, to, before },
    figures: [
      ...all.flatMap(({ compared }) => compared),
      compare('all', 'pointsOutstanding', pointsNow, points.before),
    ],
    days,
    series: [
      ...all.flatMap(({ platform, courses }) =>
        courses.map(([figure, values]) => ({ platform, figure, values: upToToday(values) })),
      ),
      { platform: 'all', figure: 'pointsOutstanding', values: outstanding },
    ],
  };
}

type Place = Compared['platform'];

/** The figures of one platform, or of all together. */
function ofPlatform(
  { platforms, figures, audience, lines, linesBefore }: Parts,
  platform: Place,
): { platform: Place; compared: Compared[]; courses: [OverviewFigure, (number | null)[]][] } {
  const names = platform === 'all' ? platforms : [platform];
  const lineOf = (some: readonly Line[], figure: SeriesFigure) =>
    some.find((line) => line.platform === platform && line.figure === figure);
  const sum = (some: readonly Line[], figure: SeriesFigure) => lineOf(some, figure)?.sum ?? null;
  const standing = (figure: 'followers' | 'blocks') =>
    audience.line.map((_, index) => total(names, (name) => audience[name][index]?.[figure] ?? 0));
  const [followers, blocks] = [standing('followers'), standing('blocks')];
  const covered = {
    taggedContacts: total(names, (name) => figures?.platforms[name].taggedContacts ?? 0),
    followers: total(names, (name) => figures?.platforms[name].followers ?? 0),
  };
  const added = (figure: OverviewFigure, series: SeriesFigure) =>
    compare(platform, figure, sum(lines, series), sum(linesBefore, series));
  const averaged = (figure: OverviewFigure, of: (sums: ConversationSums) => number) => {
    const average = (some: readonly Line[]) => {
      const sums = {
        conversations: sum(some, 'conversations') ?? 0,
        conversationMessages: sum(some, 'conversationMessages') ?? 0,
        conversationMs: sum(some, 'conversationMs') ?? 0,
      };
      return sums.conversations === 0 ? null : of(sums);
    };
    return compare(platform, figure, average(lines), average(linesBefore));
  };
  return {
    platform,
    compared: [
      compare(platform, 'followers', followers.at(-1) ?? null, followers[0] ?? null),
      added('newFollowers', 'followers'),
      compare(platform, 'blocks', blocks.at(-1) ?? null, blocks[0] ?? null),
      added('newBlocks', 'blocks'),
      added('inbound', 'inbound'),
      added('outbound', 'outbound'),
      added('messages', 'messages'),
      added('conversations', 'conversations'),
      averaged('averageConversationMessages', averageMessages),
      averaged('averageConversationSeconds', averageSeconds),
      // What was tagged at an earlier moment is not kept.
      compare(platform, 'tagCoverRate', tagCoverRate(covered), null),
    ],
    courses: [
      ['followers', followers.slice(1)],
      ['blocks', blocks.slice(1)],
      ...dailyFigures.map((figure): [OverviewFigure, (number | null)[]] => [
        figure,
        lineOf(lines, figure)?.values ?? [],
      ]),
    ],
  };
}

type ConversationSums = Record<'conversations' | 'conversationMessages' | 'conversationMs', number>;

const dailyFigures = ['inbound', 'outbound', 'messages', 'conversations'] as const;

function total(names: readonly PlatformName[], of: (name: PlatformName) => number): number {
  return names.reduce((sum, name) => sum + of(name), 0);
}

function compare(
  platform: Place,
  figure: OverviewFigure,
  now: number | null,
  before: number | null,
): Compared {
  const isKnown = now !== null && before !== null;
  return {
    ...{ figure, platform, now, before },
    change: isKnown ? now - before : null,
    changeRate: isKnown ? growthRate(now, before) : null,
  };
}
