/**
 * A bot's figures by day, ISO week or month over a range of days, in any zone (figures.md, section 13).
 *
 *     the bot's own zone    stored days
 *     UTC+9                 LINE: stored days; other platforms: as any other zone
 *     any other zone        counted from events, contacts and message sessions, which are never deleted (series-from-events.ts)
 *
 * Both ways give the same figures to the digit; the second reads all events of the range. One snapshot of the database serves
 * the whole read, so a change of the bot's zone cannot mix the two.
 */
import type { components } from '../../contracts/types/management.ts';
import { type Bot, findBot } from '../bots/bots.ts';
import { type ComparedPeriod, type Comparison, comparedPeriod, type DayRange } from '../comparison.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { type ReportedSends, readReportedSends } from '../line/outbound.ts';
import { type PeriodUnit, periodsOf } from '../periods.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { keptZones } from '../rollups/counters.ts';
import { blocksChange, followersChange } from '../rollups/follower-changes.ts';
import { addDays, countDays, dayOf, hourStart, isTimeZone } from '../time.ts';
import { countFiguresFromEvents, type PeriodRow } from './series-from-events.ts';
import { readSnapshot } from './timeouts.ts';

/** The stored sums, and `messages`: inbound + outbound. */
export const seriesFigures = [
  'followers',
  'blocks',
  'inbound',
  'outbound',
  'conversations',
  'conversationMessages',
  'conversationMs',
  'messages',
] as const;
export type SeriesFigure = (typeof seriesFigures)[number];

/** Defaults: the bot's zone, the 30 days up to today, every platform, every figure. */
export type SeriesRequest = {
  by: PeriodUnit;
  zone?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  platforms?: readonly PlatformName[] | undefined;
  figures?: readonly SeriesFigure[] | undefined;
  /** Default: none. */
  comparison?: Comparison | undefined;
};

/**
 * One figure of one platform, or of all requested platforms: a value for each period, and the sum of the range. Null: unknown,
 * because LINE has not reported the sent messages of any day.
 */
export type Line = Pick<AnswerLine, 'platform' | 'figure' | 'values' | 'sum'>;
export type Series = Omit<Answer, 'botId'>;
type Answer = components['schemas']['Series'];
type AnswerLine = Answer['series'][number];

const periodsMax = 3_700;
const defaultDays = 30;

/** True if every requested line can be read from stored days. */
export function isStored(
  bot: Bot,
  { zone = bot.timeZone, platforms = platformNames }: SeriesRequest,
): boolean {
  return platforms.every((name) => keptZones(name, bot.timeZone).includes(zone));
}

/**
 * Returns the series; `now` (ms) determines today. Throws Refusal BOT_NOT_FOUND, INPUT_INVALID (zone, range), and READ_TOO_LONG
 * if counting from events takes longer than a minute.
 */
export async function readSeries(
  sql: Sql,
  botId: string,
  request: SeriesRequest,
  { now }: { now: number },
): Promise<Series> {
  return readSnapshot(sql, async (tx) => readSeriesWithin(tx, await findBot(tx, botId), request, { now }));
}

async function readSeriesWithin(
  tx: Transaction,
  bot: Bot,
  request: SeriesRequest,
  { now }: { now: number },
): Promise<Series> {
  const { by, zone = bot.timeZone, platforms = platformNames, figures = seriesFigures } = request;
  if (!isTimeZone(zone)) refuse(`zone must be a name such as Asia/Taipei, not ${JSON.stringify(zone)}`);
  const to = request.to ?? dayOf(now, zone);
  const from = request.from ?? addDays(to, 1 - defaultDays);
  if (from > to) refuse(`from must not be after to (${to})`);
  const periods = periodsOf({ from, to, by });
  if (periods.length > periodsMax) refuse(`a range has at most ${periodsMax} periods, not ${periods.length}`);
  const compared = comparedPeriod({ from, to, by }, request.comparison ?? 'none', { now, zone });
  const scope = { zone, platforms, figures };
  const [lines, linesBefore] = await Promise.all([
    readLines(tx, bot, { ...scope, periods }),
    compared ? readComparedLines(tx, bot, scope, compared) : [],
  ]);
  const series = lines.map((line, index) => {
    const before = linesBefore[index];
    return { ...line, valuesBefore: before?.values ?? null, sumBefore: before?.sum ?? null };
  });
  const kept = isStored(bot, request);
  return { zone, by, from, to, kept, before: compared && spanOf(compared, zone), periods, series };
}

/** The compared days for an answer, with the instant at which the last one ends. */
export function spanOf({ from, to, untilHour }: ComparedPeriod, zone: string): NonNullable<Answer['before']> {
  const until = untilHour === null ? null : new Date(hourStart(to, untilHour, zone)).toISOString();
  return { from, to, until };
}

export type LineScope = {
  zone: string;
  platforms: readonly PlatformName[];
  figures: readonly SeriesFigure[];
};

/** Each line's values of the compared periods, and its sum of all compared days. */
export async function readComparedLines(
  tx: Transaction,
  bot: Bot,
  scope: LineScope,
  { from, to, untilHour, periods }: ComparedPeriod,
): Promise<Line[]> {
  const readPeriods = periods.filter((period) => period !== null);
  const isWhole =
    readPeriods.reduce((days, { first, last }) => days + countDays(first, last), 0) === countDays(from, to);
  const isCut = readPeriods.at(-1)?.last === to;
  const [lines, sums] = await Promise.all([
    readLines(tx, bot, { ...scope, periods: readPeriods, untilHour: isCut ? untilHour : null }),
    isWhole ? null : readLines(tx, bot, { ...scope, periods: [{ first: from, last: to }], untilHour }),
  ]);
  return lines.map(({ values, sum, ...line }, index) => {
    let next = 0;
    return {
      ...line,
      values: periods.map((period) => (period === null ? null : (values[next++] ?? null))),
      sum: sums === null ? sum : (sums[index]?.sum ?? null),
    };
  });
}

/**
 * Returns the lines of the periods (ascending, each of whole days of the zone). With `untilHour` the last day of the last period
 * ends at that hour; LINE's sent messages of such a day are unknown.
 */
export async function readLines(
  tx: Transaction,
  bot: Bot,
  {
    zone,
    platforms,
    figures,
    periods,
    untilHour = null,
  }: LineScope & { periods: readonly DayRange[]; untilHour?: number | null },
): Promise<Line[]> {
  const connected = (await selectConnected(tx, bot.botId)).filter((name) => platforms.includes(name));
  const stored = connected.filter((name) => keptZones(name, bot.timeZone).includes(zone));
  const counted = connected.filter((name) => !stored.includes(name));
  const includesSends = figures.some((name) => name === 'outbound' || name === 'messages');
  const sums = new Set(figures.flatMap((name) => (name === 'messages' ? messageSums : [name])));
  const wholeDays = untilHour === null ? periods : withoutLastDay(periods);
  const [lineSends, ...rows] = await Promise.all([
    includesSends && connected.includes('line') ? readReportedSends(tx, bot.botId, wholeDays) : null,
    selectDays(tx, bot.botId, { platforms: stored, zone, periods: wholeDays }),
    counted.length === 0 || wholeDays.length === 0
      ? []
      : countFiguresFromEvents(tx, bot.botId, {
          platforms: counted,
          figures: sums,
          zone,
          periods: wholeDays,
        }),
    untilHour === null
      ? []
      : readPartOfDay(tx, bot, { platforms: connected, figures: sums, zone, periods, untilHour }),
  ]);
  const isOnlyLine = connected.every((name) => name === 'line');
  const count = periods.length;
  return toLines(rows.flat(), { platforms, figures, count, lineSends, isOnlyLine });
}

/** The periods without the last day of the last one. */
function withoutLastDay(periods: readonly DayRange[]): DayRange[] {
  return periods.flatMap(({ first, last }, index) => {
    if (index < periods.length - 1) return [{ first, last }];
    return first === last ? [] : [{ first, last: addDays(last, -1) }];
  });
}

type PartOfDay = {
  platforms: PlatformName[];
  figures: ReadonlySet<Exclude<SeriesFigure, 'messages'>>;
  zone: string;
  periods: readonly DayRange[];
  untilHour: number;
};

/** The figures of the last day up to the hour, as rows of the last period. Messages by hour are stored in the bot's zone. */
async function readPartOfDay(
  tx: Transaction,
  bot: Bot,
  { platforms, figures, zone, periods, untilHour }: PartOfDay,
): Promise<PeriodRow[]> {
  const day = periods.at(-1)?.last;
  if (day === undefined || platforms.length === 0) return [];
  const isStored = zone === bot.timeZone;
  const isCounted = (name: Exclude<SeriesFigure, 'messages'>) => !isStored || !isMessageSum(name);
  const rows = await Promise.all([
    isStored && [...figures].some(isMessageSum)
      ? tx<PeriodRow[]>`
          select platform, sum(inbound)::bigint as inbound, sum(outbound)::bigint as outbound from hours
          where bot_id = ${bot.botId} and platform = any(${platforms}) and day = ${day} and hour < ${untilHour}
          group by platform`
      : [],
    countFiguresFromEvents(tx, bot.botId, {
      ...{ platforms, zone, periods: [{ first: day, last: day }] },
      figures: new Set([...figures].filter(isCounted)),
      until: hourStart(day, untilHour, zone),
    }),
  ]);
  return rows.flat().map((row) => ({ ...row, period: periods.length }));
}

function isMessageSum(name: SeriesFigure): boolean {
  return name === 'inbound' || name === 'outbound';
}

/** The stored sums behind `messages`. */
const messageSums = ['inbound', 'outbound'] as const;

/** The platforms with a channel, in their usual order. Figures of a platform without a channel are 0 (figures.md, section 5). */
export async function selectConnected(sql: Queryable, botId: string): Promise<PlatformName[]> {
  const rows = await sql<{ platform: PlatformName }[]>`
    select platform from channels where bot_id = ${botId}`;
  return platformNames.filter((name) => rows.some(({ platform }) => platform === name));
}

async function selectDays(
  sql: Queryable,
  botId: string,
  { platforms, zone, periods }: { platforms: PlatformName[]; zone: string; periods: readonly DayRange[] },
): Promise<PeriodRow[]> {
  if (platforms.length === 0 || periods.length === 0) return [];
  return sql<PeriodRow[]>`
    select platform, width_bucket(day, ${periods.map(({ first }) => first)}::date[]) as period,
      sum(${followersChange(sql, botId)})::bigint as followers, sum(${blocksChange(sql, botId)})::bigint as blocks,
      sum(inbound)::bigint as inbound, sum(outbound)::bigint as outbound,
      sum(conversations)::bigint as conversations,
      sum(conversation_messages)::bigint as "conversationMessages",
      sum(conversation_ms)::bigint as "conversationMs"
    from days
    where bot_id = ${botId} and platform = any(${platforms}) and zone = ${zone}
      and day between ${periods[0]?.first ?? ''} and ${periods.at(-1)?.last ?? ''}
    group by platform, period`;
}

type Scope = {
  platforms: readonly PlatformName[];
  figures: readonly SeriesFigure[];
  count: number;
  /** Null: no requested figure includes LINE's sends. */
  lineSends: ReportedSends | null;
  isOnlyLine: boolean;
};

/** Each platform's lines in the order of the figures, then those of all platforms. */
function toLines(rows: readonly PeriodRow[], scope: Scope): Line[] {
  const { platforms, figures, count } = scope;
  const lineOf = (platform: Line['platform'], figure: SeriesFigure): Line => {
    const counts = new Array<number>(count).fill(0);
    for (const row of rows) {
      if (platform === 'all' ? !platforms.includes(row.platform) : row.platform !== platform) continue;
      const index = row.period - 1;
      counts[index] = (counts[index] ?? 0) + figureOf(row, figure);
    }
    const canBeUnknown = dependsOnLine({ platform, figure }, scope);
    const isKnown = (index: number) => !canBeUnknown || scope.lineSends?.periods.has(index + 1) === true;
    return {
      ...{ platform, figure },
      values: counts.map((value, index) => (isKnown(index) ? value : null)),
      sum: counts.some((_, index) => isKnown(index)) ? counts.reduce((sum, value) => sum + value, 0) : null,
    };
  };
  return [...platforms, 'all' as const].flatMap((platform) =>
    figures.map((figure) => lineOf(platform, figure)),
  );
}

/**
 * True if a line has no value without LINE's sent messages. If LINE has never reported any, the sums of all platforms and of both
 * directions omit LINE's part instead.
 */
function dependsOnLine(
  { platform, figure }: Pick<Line, 'platform' | 'figure'>,
  { platforms, lineSends, isOnlyLine }: Scope,
): boolean {
  if (lineSends === null || !platforms.includes('line')) return false;
  if (platform !== 'line' && platform !== 'all') return false;
  if (figure === 'messages') return lineSends.isReported;
  return figure === 'outbound' && (platform === 'line' || lineSends.isReported || isOnlyLine);
}

function figureOf(row: PeriodRow, figure: SeriesFigure): number {
  if (figure === 'messages') return (row.inbound ?? 0) + (row.outbound ?? 0);
  return row[figure] ?? 0;
}

function refuse(problem: string): never {
  throw new Refusal('INPUT_INVALID', `${problem}.`);
}
