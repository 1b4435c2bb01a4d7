/**
 * The operations of the LINE Insight contract, by their ids: what is wrong with a query, what each reads, and what it answers.
 */

import type { TokenBot } from '../../bots/line-tokens.ts';
import type { Queryable } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { batched, remembered } from '../../http/batch.ts';
import { badQueries } from '../../http/errors/line.ts';
import { shared } from '../../http/share.ts';
import type { JsonObject } from '../../json.ts';
import { type AskedDay, type LineDay, readDeliveryDays, readFollowerDays } from '../../line/daily-figures.ts';
import { findLatest } from '../../line/snapshots.ts';
import { readMessageStatistics, readUnitStatistics, unitDaysMax } from '../../line/statistics.ts';
import { addDays, type Clock, dayOf, isDay, lineZone } from '../../time.ts';
import { toDeliveries, toDemographics, toFollowers, toMessageEvent, toUnitStatistics } from './answers.ts';

export type InsightSources = {
  sql: Queryable;
  clock: Clock;
  /** So long what our own events tell of a day is given again without a look. */
  rememberMs: number;
};

export type InsightOperation = {
  /** The body of 400; null: nothing is wrong. `isSound` tells whether the query is as the contract has it. */
  problemOf(query: JsonObject, isSound: boolean): object | null;
  /** Answers a query in which nothing is wrong. Throws Refusal SEND_NOT_FOUND. */
  answer(bot: TokenBot, query: JsonObject): Promise<JsonObject>;
};

/** Two, so that one is read while the answers of the other go out. */
const runsMax = 2;
const countMax = 100;

/** The operations, reading from the given sources. */
export function insightOperations({
  sql,
  clock,
  rememberMs,
}: InsightSources): Record<string, InsightOperation> {
  const demographicOf = shared((botId) => findLatest(sql, botId, 'demographic'));
  return {
    getFriendsDemographics: {
      problemOf: () => null,
      answer: async ({ botId }) => toDemographics((await demographicOf(botId))?.value),
    },
    getNumberOfFollowers: ofDay(
      batched((asked) => readFollowerDays(sql, asked), { runsMax, countMax }),
      toFollowers,
      { clock, rememberMs },
    ),
    getNumberOfMessageDeliveries: ofDay(
      batched((asked) => readDeliveryDays(sql, asked), { runsMax, countMax }),
      toDeliveries,
      { clock, rememberMs },
    ),
    getMessageEvent: {
      problemOf: (_query, isSound) => (isSound ? null : badQueries.other),
      async answer({ botId }, query) {
        const requestId = String(query.requestId);
        const found = await readMessageStatistics(sql, { botId, requestId });
        const answer = toMessageEvent(found, { requestId });
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
      async answer({ botId }, query) {
        const [unit, from, to] = [
          String(query.customAggregationUnit),
          toDay(query.from) ?? '',
          toDay(query.to) ?? '',
        ];
        const found = await readUnitStatistics(sql, { botId, unit, from, to });
        return toUnitStatistics(found);
      },
    },
  };
}

type AskedVersion = TokenBot & { day: string };

/** What LINE told of a day is kept until the bot's snapshots change; our own figures of a day go on changing. */
function ofDay<Own>(
  read: (asked: AskedDay) => Promise<LineDay<Own>>,
  toAnswer: (found: LineDay<Own>, on: { day: string; today: string }) => JsonObject,
  { clock, rememberMs }: { clock: Clock; rememberMs: number },
): InsightOperation {
  const find = remembered((asked: AskedVersion) => read(asked), {
    nameOf: ({ botId, snapshotVersion, day }) => `${botId} ${snapshotVersion} ${day}`,
    msOf: ({ snapshot }) => (snapshot === null ? rememberMs : Number.POSITIVE_INFINITY),
  });
  return {
    problemOf({ date }, isSound) {
      if (date === undefined) return badQueries.noDate;
      return isSound && toDay(date) !== null ? null : badQueries.other;
    },
    async answer({ botId, snapshotVersion }, { date }) {
      const day = toDay(date) ?? '';
      const found = await find({ botId, snapshotVersion, day });
      return toAnswer(found, { day, today: dayOf(clock(), lineZone) });
    },
  };
}

/** `20260301` as `2026-03-01`; null for what is no day. */
function toDay(date: unknown): string | null {
  if (typeof date !== 'string' || !/^\d{8}$/.test(date)) return null;
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
  return isDay(day) ? day : null;
}
