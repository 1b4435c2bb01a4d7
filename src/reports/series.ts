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
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { type ReportedSends, readReportedSends } from '../line/outbound.ts';
import { type Period, type PeriodUnit, periodsOf } from '../periods.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { keptZones } from '../rollups/counters.ts';
import { blocksChange, followersChange } from '../rollups/follower-changes.ts';
import { addDays, dayOf, isTimeZone } from '../time.ts';
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
};

/**
 * One figure of one platform, or of all requested platforms: a value for each period, and the sum of the range. Null: unknown,
 * because LINE has not reported the sent messages of any day.
 */
export type Line = Answer['series'][number];
export type Series = Omit<Answer, 'botId' | 'series'> & { lines: Line[] };
type Answer = components['schemas']['Series'];

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

/** The same within a repeatable-read transaction that has already read the bot. */
export async function readSeriesWithin(
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
  const connected = (await selectConnected(tx, bot.botId)).filter((name) => platforms.includes(name));
  const stored = connected.filter((name) => keptZones(name, bot.timeZone).includes(zone));
  const counted = connected.filter((name) => !stored.includes(name));
  const includesSends = figures.some((name) => name === 'outbound' || name === 'messages');
  const [lineSends, ...rows] = await Promise.all([
    includesSends && connected.includes('line') ? readReportedSends(tx, bot.botId, periods) : null,
    selectDays(tx, bot.botId, { platforms: stored, zone, periods }),
    counted.length === 0
      ? []
      : countFiguresFromEvents(tx, bot.botId, {
          platforms: counted,
          figures: new Set(figures.flatMap((name) => (name === 'messages' ? messageSums : [name]))),
          zone,
          periods,
        }),
  ]);
  const isOnlyLine = connected.every((name) => name === 'line');
  const count = periods.length;
  const lines = toLines(rows.flat(), { platforms, figures, count, lineSends, isOnlyLine });
  return { zone, by, from, to, kept: isStored(bot, request), periods, lines };
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
  { platforms, zone, periods }: { platforms: PlatformName[]; zone: string; periods: readonly Period[] },
): Promise<PeriodRow[]> {
  if (platforms.length === 0) return [];
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
