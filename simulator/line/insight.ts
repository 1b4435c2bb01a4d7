/**
 * LINE's Insight calls (contracts/line-insight.yaml): days in UTC+9 that turn ready late, shares of the people, statistics of
 * sends with LINE's null rules. Where LINE's documentation and the contract differ, the answers are as documented.
 */
import type { FastifyInstance } from 'fastify';
import { addDays, dayMs, lineDayStart, secondMs } from '../../src/time.ts';
import { type Demographic, demographicOf, periodNames, type Weights } from '../line-attributes.ts';
import type { Account } from './account.ts';
import { LineError, notFound } from './line-error.ts';
import { friendDays } from './narrowcast.ts';
import { attributesOf } from './people.ts';
import { queryText, toDay } from './requests.ts';
import type { Simulation } from './simulation.ts';
import { statisticsOf } from './statistics.ts';

export type Readiness = 'ready' | 'unready' | 'out_of_service';

const demographicAgeMs = 3 * dayMs;
const reachMin = 20;
const unitDaysMax = 30;
const badUnitCall = { message: null, key: null, stacktrace: null, code: null };

/** LINE's own beginnings: no day before is ever told. */
export const beginnings = {
  followers: '2016-11-01',
  deliveries: '2017-03-01',
  counters: '2018-03-31',
} as const;

/** Where a day stands. `readyAfterMs`: so long after its end it is ready. */
export function readinessOf(
  day: string,
  {
    firstDay,
    beginning,
    now,
    readyAfterMs,
  }: { firstDay: string; beginning: string; now: number; readyAfterMs: number },
): Readiness {
  if (day < firstDay || day < beginning) return 'out_of_service';
  return now >= lineDayStart(day) + dayMs + readyAfterMs ? 'ready' : 'unready';
}

/** Adds the calls. */
export function addInsightCalls(
  app: FastifyInstance,
  { simulation, readyAfterMs }: { simulation: Simulation; readyAfterMs: () => number },
): void {
  const { account } = simulation;
  const readiness = (day: string, beginning: string) =>
    readinessOf(day, {
      firstDay: account.firstDay,
      beginning,
      now: simulation.now(),
      readyAfterMs: readyAfterMs(),
    });

  app.get('/v2/bot/insight/followers', async (request) => {
    const date = queryText(request, 'date');
    if (date === undefined) throw new LineError(400, 'date is required');
    const day = readDay(date);
    const status = readiness(day, beginnings.followers);
    if (status !== 'ready') return { status, followers: null, targetedReaches: null, blocks: null };
    const { followers, targetedReaches, blocks } = account.audienceAt(lineDayStart(day) + dayMs - 1);
    return { status, followers, targetedReaches, blocks };
  });

  app.get('/v2/bot/insight/message/delivery', async (request) => {
    const day = readDay(queryText(request, 'date'));
    const status = readiness(day, beginnings.deliveries);
    return status === 'ready' ? { status, ...account.deliveriesOn(day) } : { status };
  });

  app.get('/v2/bot/insight/demographic', async () => demographicAt(account, simulation.now()));

  app.get('/v2/bot/insight/message/event', async (request) => {
    const requestId = queryText(request, 'requestId');
    if (!requestId) throw new LineError(400, 'Bad Request');
    const send = account.sends.find(
      (one) => one.requestId === requestId && (one.kind === 'broadcast' || one.kind === 'narrowcast'),
    );
    if (send === undefined) throw notFound();
    const now = simulation.now();
    const { overview, messages, clicks } = statisticsOf([send], { now, isUnit: false });
    const timestamp = Math.floor(send.sentAt / secondMs);
    const delivered = now < send.sentAt ? null : send.recipients.length;
    return { overview: { requestId, timestamp, delivered, ...overview }, messages, clicks };
  });

  app.get('/v2/bot/insight/message/event/aggregation', async (request, reply) => {
    const unit = queryText(request, 'customAggregationUnit');
    const from = toDay(queryText(request, 'from'));
    const to = toDay(queryText(request, 'to'));
    const isGood = unit !== undefined && /^\w{1,30}$/.test(unit) && from !== null && to !== null;
    if (!isGood || to < from || to > addDays(from, unitDaysMax)) return reply.code(400).send(badUnitCall);
    const sends = account.sendsFrom(from, to).filter((send) => send.unit === unit);
    return statisticsOf(sends, { now: simulation.now(), isUnit: true });
  });
}

function readDay(text: string | undefined): string {
  const day = toDay(text);
  if (day === null) throw new LineError(400, 'Bad Request');
  return day;
}

/** Who the friends of three days ago are; too few of them are not told of. */
export function demographicAt(account: Account, now: number): Demographic {
  const at = now - demographicAgeMs;
  const friends = account.friendsAt(at);
  if (account.audienceAt(at).targetedReaches < reachMin) {
    return { available: false, genders: [], ages: [], areas: [], appTypes: [], subscriptionPeriods: [] };
  }
  const people = friends.map((userId) => ({
    ...attributesOf(userId),
    period: periodOf(friendDays(account, userId, at)),
  }));
  const weights = (name: keyof (typeof people)[number]): Weights => {
    const counts = new Map<string, number>();
    for (const one of people) counts.set(one[name], (counts.get(one[name]) ?? 0) + 1);
    return [...counts];
  };
  return demographicOf({
    genders: weights('gender'),
    ages: weights('age'),
    areas: weights('area'),
    appTypes: weights('appType'),
    subscriptionPeriods: weights('period'),
  });
}

function periodOf(days: number): string {
  const bounds = [7, 30, 90, 180, 365];
  const place = bounds.findIndex((bound) => days < bound);
  return periodNames[place < 0 ? bounds.length : place] ?? 'unknown';
}
