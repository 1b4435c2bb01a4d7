/**
 * A bot's figures by day, ISO week or month over a range of days, in any zone (figures.md, section 13).
 *
 *     the bot's own zone    days as they are kept
 *     UTC+9                 LINE: days as they are kept; the others: as any zone
 *     any other zone        computed from events, contacts and runs, which are kept for ever (series-computed.ts)
 *
 * Both ways give the same figures to the digit; the second reads all of the bot's events. Everything is read from one state
 * of the database, so that a change of the bot's zone cannot come in between.
 */
import { type Bot, findBot } from '../bots/bots.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { type KnownSends, readKnownSends } from '../line/outbound.ts';
import { type Period, type PeriodUnit, periodsOf } from '../periods.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { type FigureName, keptZones } from '../rollups/counters.ts';
import { blocksChange, followersChange } from '../rollups/follower-changes.ts';
import { addDays, dayOf, isTimeZone } from '../time.ts';
import { computeFigures, type PeriodRow } from './series-from-events.ts';
import { readAtOnce } from './timeouts.ts';

/** Kept figures, and `messages`: inbound + outbound. */
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

/** What is left out: the bot's zone, the 30 days up to today, every platform, every figure. */
export type AskedSeries = {
  by: PeriodUnit;
  zone?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  platforms?: readonly PlatformName[] | undefined;
  figures?: readonly SeriesFigure[] | undefined;
};

/**
 * One figure of one platform, or of all that were asked for together: a value for each period, and that of the whole range. Null:
 * not known, because LINE has not reported the sent messages of any of the days.
 */
export type Line = {
  platform: PlatformName | 'all';
  figure: SeriesFigure;
  values: (number | null)[];
  sum: number | null;
};
export type Series = {
  zone: string;
  by: PeriodUnit;
  from: string;
  to: string;
  /** True: read from kept days; false: some of it was computed from events. */
  kept: boolean;
  periods: Period[];
  lines: Line[];
};

const periodsMax = 3_700;
const daysShown = 30;

/** True when every series in the zone is kept by day, and none has to be computed. */
export function isKept(bot: Bot, asked: AskedSeries): boolean {
  const zone = asked.zone ?? bot.timeZone;
  return (asked.platforms ?? platformNames).every((name) => keptZones(name, bot.timeZone).includes(zone));
}

/**
 * The series; `now` (ms) decides what today is. Throws Refusal BOT_NOT_FOUND, INPUT_INVALID (zone, range), and READ_TOO_LONG
 * for one that has to be computed and takes longer than a minute.
 */
export async function readSeries(
  sql: Sql,
  botId: string,
  asked: AskedSeries,
  { now }: { now: number },
): Promise<Series> {
  return readAtOnce(sql, async (tx) => readSeriesWithin(tx, await findBot(tx, botId), asked, { now }));
}

/** The same in a transaction that sees one state of the database, of a bot that was read in it. */
export async function readSeriesWithin(
  tx: Transaction,
  bot: Bot,
  asked: AskedSeries,
  { now }: { now: number },
): Promise<Series> {
  const { by, platforms = platformNames, figures = seriesFigures } = asked;
  const zone = asked.zone ?? bot.timeZone;
  if (!isTimeZone(zone)) refuse(`zone must be a name such as Asia/Taipei, not ${JSON.stringify(zone)}`);
  const to = asked.to ?? dayOf(now, zone);
  const from = asked.from ?? addDays(to, 1 - daysShown);
  if (from > to) refuse(`from must not lie after to, ${to}`);
  const periods = periodsOf({ from, to, by });
  if (periods.length > periodsMax) refuse(`a range has at most ${periodsMax} periods, not ${periods.length}`);
  const connected = (await selectConnected(tx, bot.botId)).filter((name) => platforms.includes(name));
  const kept = connected.filter((name) => keptZones(name, bot.timeZone).includes(zone));
  const computed = connected.filter((name) => !kept.includes(name));
  const asksForSends = figures.some((name) => name === 'outbound' || name === 'messages');
  const [lineSends, ...rows] = await Promise.all([
    asksForSends && connected.includes('line') ? readKnownSends(tx, bot.botId, periods) : null,
    selectDays(tx, bot.botId, { platforms: kept, zone, periods }),
    computed.length === 0
      ? []
      : computeFigures(tx, bot.botId, {
          platforms: computed,
          figures: new Set(figures.flatMap((name) => partsOf[name] ?? [name as FigureName])),
          zone,
          periods,
        }),
  ]);
  const isOnlyLine = connected.every((name) => name === 'line');
  const count = periods.length;
  const lines = toLines(rows.flat(), { platforms, figures, count, lineSends, isOnlyLine });
  return { zone, by, from, to, kept: isKept(bot, asked), periods, lines };
}

/** What a figure that is not kept by itself is the sum of. */
const partsOf: Partial<Record<SeriesFigure, readonly FigureName[]>> = { messages: ['inbound', 'outbound'] };

/**
 * The platforms with a channel, in their usual order: without one a platform's figures are 0 whatever was kept (figures.md,
 * section 5).
 */
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
  /** Null: LINE has no part in the figures. */
  lineSends: KnownSends | null;
  isOnlyLine: boolean;
};

/** Each platform's lines in the order of the figures, behind them those of all platforms together. */
function toLines(rows: readonly PeriodRow[], scope: Scope): Line[] {
  const { platforms, figures, count } = scope;
  const lineOf = (platform: Line['platform'], figure: SeriesFigure): Line => {
    const counted = new Array<number>(count).fill(0);
    for (const row of rows) {
      if (platform === 'all' ? !platforms.includes(row.platform) : row.platform !== platform) continue;
      const place = row.period - 1;
      counted[place] = (counted[place] ?? 0) + figureOf(row, figure);
    }
    const canBeUnknown = dependsOnLine({ platform, figure }, scope);
    const isKnown = (place: number) => !canBeUnknown || scope.lineSends?.periods.has(place + 1) === true;
    return {
      ...{ platform, figure },
      values: counted.map((value, place) => (isKnown(place) ? value : null)),
      sum: counted.some((_, place) => isKnown(place)) ? counted.reduce((sum, value) => sum + value, 0) : null,
    };
  };
  return [...platforms, 'all' as const].flatMap((platform) =>
    figures.map((figure) => lineOf(platform, figure)),
  );
}

/**
 * True when a line has no value without LINE's sent messages. Where LINE reports nothing to us, its part stays unknown: the sum of
 * all platforms and of both directions then goes without it.
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
