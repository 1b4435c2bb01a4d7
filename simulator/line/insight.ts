/**
 * LINE's Insight calls (contracts/line-insight.yaml): figures of days that are ready, demographics, statistics of sends. Where
 * LINE's documentation and the contract differ, the answers follow the documentation.
 */
import type { FastifyInstance } from 'fastify';
import { addDays, secondMs } from '../../src/time.ts';
import type { Settings } from './control.ts';
import { LineError, notFound } from './line-error.ts';
import { demographicAt, firstDays, readinessOf } from './report.ts';
import { queryText, toDay } from './request-fields.ts';
import type { Simulation } from './simulation.ts';
import { statisticsOf } from './statistics.ts';

const unitDaysMax = 30;
const badUnitCall = { message: null, key: null, stacktrace: null, code: null };

/** Adds the calls. */
export function addInsightCalls(
  app: FastifyInstance,
  { simulation, settings }: { simulation: Simulation; settings: Readonly<Settings> },
): void {
  const { account } = simulation;
  const readiness = (day: string, since: string) =>
    readinessOf(account, day, { since, now: simulation.now(), ...settings });

  app.get('/v2/bot/insight/followers', async (request) => {
    const date = queryText(request, 'date');
    if (date === undefined) throw new LineError(400, 'date is required');
    const day = readDay(date);
    const status = readiness(day, firstDays.followers);
    if (status !== 'ready') return { status, followers: null, targetedReaches: null, blocks: null };
    return { status, ...account.audienceAtEndOf(day) };
  });

  app.get('/v2/bot/insight/message/delivery', async (request) => {
    const day = readDay(queryText(request, 'date'));
    const status = readiness(day, firstDays.deliveries);
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
    const isValid = unit !== undefined && /^\w{1,30}$/.test(unit) && from !== null && to !== null;
    if (!isValid || to < from || to > addDays(from, unitDaysMax)) return reply.code(400).send(badUnitCall);
    const sends = account.sendsFrom(from, to).filter((send) => send.unit === unit);
    return statisticsOf(sends, { now: simulation.now(), isUnit: true });
  });
}

function readDay(text: string | undefined): string {
  const day = toDay(text);
  if (day === null) throw new LineError(400, 'Bad Request');
  return day;
}
