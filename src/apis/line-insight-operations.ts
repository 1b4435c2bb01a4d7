/**
 * The operations of the LINE Insight contract, by their ids: what is wrong with a query, what each reads, and what it answers.
 */
import type { Queryable } from '../database/database.ts';
import { Refusal } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { type AskedDay, type LineDay, readDeliveryDays, readFollowerDays } from '../rollups/line-days.ts';
import { readMessageStatistics, readUnitStatistics, unitDaysMax } from '../rollups/line-statistics.ts';
import { readDemographic } from '../rollups/snapshots.ts';
import { addDays, type Clock, dayOf, isDay, lineZone } from '../time.ts';
import { batched, remembered } from './batch.ts';
import {
  toDeliveries,
  toDemographics,
  toFollowers,
  toMessageEvent,
  toUnitStatistics,
} from './line-insight-answers.ts';
import { badQueries } from './line-insight-errors.ts';
import { shared } from './share.ts';

export type InsightSources = {
  sql: Queryable;
  clock: Clock;
  /** So long a day's answer is given again without a look; 0: never. */
  rememberMs?: number;
};

/** What a call has found: the bot of its token, and the answer. */
export type InsightFound = { botId: string; answer(): JsonObject };

export type InsightOperation = {
  /** The body of 400; null: nothing is wrong. `isSound` tells whether the query is as the contract has it. */
  problemOf(query: JsonObject, isSound: boolean): object | null;
  /** Reads for a query in which nothing is wrong; null: there is no such token. */
  read(tokenHash: string, query: JsonObject): Promise<InsightFound | null>;
};

/** Two, so that one is read while the answers of the other go out. */
const runsMax = 2;
const countMax = 100;
/** A day's figures are LINE's of long ago, or those of a day that is over; and nobody waits longer for a token to be refused. */
const rememberMsUsual = 500;

/** The operations, reading from the given sources. */
export function insightOperations({
  sql,
  clock,
  rememberMs = rememberMsUsual,
}: InsightSources): Record<string, InsightOperation> {
  const demographicOf = shared((tokenHash) => readDemographic(sql, tokenHash));
  return {
    getFriendsDemographics: {
      problemOf: () => null,
      async read(tokenHash) {
        const found = await demographicOf(tokenHash);
        return found && { botId: found.botId, answer: () => toDemographics(found.snapshot) };
      },
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
      async read(tokenHash, { requestId: asked }) {
        const requestId = String(asked);
        const found = await readMessageStatistics(sql, { tokenHash, requestId });
        const answer = (statistics: NonNullable<typeof found>) => {
          const told = toMessageEvent(statistics, { requestId, now: clock() });
          if (told === null) throw new Refusal('SEND_NOT_FOUND', 'There is no such send.');
          return told;
        };
        return found && { botId: found.botId, answer: () => answer(found) };
      },
    },
    getStatisticsPerUnit: {
      problemOf({ from, to }, isSound) {
        const [first, last] = [toDay(from), toDay(to)];
        const isRange =
          first !== null && last !== null && first <= last && last <= addDays(first, unitDaysMax);
        return isSound && isRange ? null : badQueries.ofUnit;
      },
      async read(tokenHash, query) {
        const [unit, from, to] = [
          String(query.customAggregationUnit),
          toDay(query.from) ?? '',
          toDay(query.to) ?? '',
        ];
        const found = await readUnitStatistics(sql, { tokenHash, unit, from, to });
        return found && { botId: found.botId, answer: () => toUnitStatistics(found, { to, now: clock() }) };
      },
    },
  };
}

function ofDay<Own>(
  read: (asked: AskedDay) => Promise<LineDay<Own> | null>,
  toAnswer: (found: LineDay<Own>, on: { day: string; today: string }) => JsonObject,
  { clock, rememberMs }: { clock: Clock; rememberMs: number },
): InsightOperation {
  const find = remembered(read, { ms: rememberMs, nameOf: ({ tokenHash, day }) => `${tokenHash} ${day}` });
  return {
    problemOf({ date }, isSound) {
      if (date === undefined) return badQueries.noDate;
      return isSound && toDay(date) !== null ? null : badQueries.other;
    },
    async read(tokenHash, { date }) {
      const day = toDay(date) ?? '';
      const found = await find({ tokenHash, day });
      const today = dayOf(clock(), lineZone);
      return found && { botId: found.botId, answer: () => toAnswer(found, { day, today }) };
    },
  };
}

/** `20260301` as `2026-03-01`; null for what is no day. */
function toDay(date: unknown): string | null {
  if (typeof date !== 'string' || !/^\d{8}$/.test(date)) return null;
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
  return isDay(day) ? day : null;
}
