/**
 * The operations of the LINE Insight contract: their checks of a query, their reads and their answers.
 */

import type { TokenBot } from '../../bots/line-tokens.ts';
import type { Queryable } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { batchLoaded, memoized } from '../../http/batch.ts';
import { coalesced } from '../../http/coalesce.ts';
import { badQueries } from '../../http/errors/line.ts';
import type { JsonObject } from '../../json.ts';
import { unitDaysMax } from '../../line/answers.ts';
import {
  type DayRequest,
  type LineDay,
  readDeliveryDays,
  readFollowerDays,
} from '../../line/daily-figures.ts';
import { findLatest } from '../../line/snapshots.ts';
import { readMessageStatistics, readUnitStatistics } from '../../line/statistics.ts';
import { addDays, type Clock, dayOf, isDay, lineZone } from '../../time.ts';
import { toDeliveries, toDemographics, toFollowers, toMessageEvent, toUnitStatistics } from './answers.ts';
import type { Operation, Operations } from './operation.ts';

export type InsightSources = {
  sql: Queryable;
  clock: Clock;
  /** How long (ms) Shoal's own figures of a day are cached. */
  cacheMs: number;
};

/** Two, so that one read runs while the answers of the other are sent. */
const runsMax = 2;
const countMax = 100;

export function insightOperations({ sql, clock, cacheMs }: InsightSources): Operations {
  const demographicOf = coalesced((botId) => findLatest(sql, botId, 'demographic'));
  return {
    getFriendsDemographics: {
      problemOf: () => null,
      answer: async ({ botId }) => toDemographics((await demographicOf(botId))?.value),
    },
    getNumberOfFollowers: ofDay(
      batchLoaded((keys) => readFollowerDays(sql, keys), { runsMax, countMax }),
      toFollowers,
      { clock, cacheMs },
    ),
    getNumberOfMessageDeliveries: ofDay(
      batchLoaded((keys) => readDeliveryDays(sql, keys), { runsMax, countMax }),
      toDeliveries,
      { clock, cacheMs },
    ),
    getMessageEvent: {
      problemOf: (_query, isSound) => (isSound ? null : badQueries.other),
      async answer({ botId }, { requestId }) {
        const statistics = await readMessageStatistics(sql, { botId, requestId });
        const answer = toMessageEvent(statistics, { requestId });
        if (answer === null) throw new Refusal('SEND_NOT_FOUND', 'There is no such send.');
        return answer;
      },
    },
    getStatisticsPerUnit: {
      problemOf({ from, to }, isSound) {
        const [first, last] = [toDay(from), toDay(to)];
        const isRange =
          first !== null && last !== null && first <= last && last <= addDays(first, unitDaysMax);
        return isSound && isRange ? null : badQueries.ofUnit;
      },
      async answer({ botId }, { customAggregationUnit: unit, from, to }) {
        const days = { from: toDay(from) ?? '', to: toDay(to) ?? '' };
        return toUnitStatistics(await readUnitStatistics(sql, { botId, unit, ...days }));
      },
    },
  };
}

type VersionedDate = TokenBot & { date: string; today: string };
type DayAnswer<Answer> = { answer: Answer; isOfLine: boolean };

/** LINE's answer of a day is cached until the bot's snapshots change. Shoal's own figures of a day keep changing. */
function ofDay<Own, Answer>(
  read: (key: DayRequest) => Promise<LineDay<Own>>,
  toAnswer: (figures: LineDay<Own>, on: { day: string; today: string }) => Answer,
  { clock, cacheMs }: { clock: Clock; cacheMs: number },
): Pick<Operation<'getNumberOfFollowers'>, 'problemOf'> & {
  cached(bot: TokenBot, query: JsonObject): Answer | undefined;
  answer(bot: TokenBot, query: { date?: string }): Promise<Answer>;
} {
  const find = memoized(
    async ({ botId, date, today }: VersionedDate): Promise<DayAnswer<Answer>> => {
      const day = toDay(date) ?? '';
      const figures = await read({ botId, day });
      return { answer: toAnswer(figures, { day, today }), isOfLine: figures.snapshot !== null };
    },
    {
      nameOf: ({ botId, snapshotVersion, date, today }) => `${botId} ${snapshotVersion} ${date} ${today}`,
      msOf: ({ isOfLine }) => (isOfLine ? Number.POSITIVE_INFINITY : cacheMs),
    },
  );
  const today = () => dayOf(clock(), lineZone);
  return {
    cached: (bot, { date }) =>
      typeof date === 'string' ? find.cached({ ...bot, date, today: today() })?.answer : undefined,
    problemOf({ date }, isSound) {
      if (date === undefined) return badQueries.noDate;
      return isSound && toDay(date) !== null ? null : badQueries.other;
    },
    async answer(bot, { date = '' }) {
      const { answer } = await find({ ...bot, date, today: today() });
      return answer;
    },
  };
}

/** `20260301` as `2026-03-01`. Null unless it is a day. */
function toDay(date: unknown): string | null {
  if (typeof date !== 'string' || !/^\d{8}$/.test(date)) return null;
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
  return isDay(day) ? day : null;
}
