/**
 * LINE's calls about the account and its people: quota and consumption, the counters of what was sent by API, aggregation
 * units, followers, profiles, bot info, narrowcast status, webhook settings (Messaging API reference).
 */
import type { FastifyInstance } from 'fastify';
import { hourMs } from '../../src/time.ts';
import { isObject } from '../caller.ts';
import { beginnings, readinessOf } from './insight.ts';
import { invalidParameter, LineError, notFound } from './line-error.ts';
import { progressOf } from './narrowcast.ts';
import { profileOf } from './people.ts';
import { bodyOf, isUserId, isUuid, queryText, toDay, wholeNumber } from './requests.ts';
import type { Simulation } from './simulation.ts';

const continuationMs = 24 * hourMs;
const urlMax = 500;

export type AccountCalls = {
  simulation: Simulation;
  destination: string;
  quota: () => number | null;
  readyAfterMs: () => number;
  /** Whether the account is verified: others may not list their followers. */
  isVerified: () => boolean;
};

/** Adds the calls. */
export function addAccountCalls(app: FastifyInstance, calls: AccountCalls): void {
  const { simulation, destination, quota } = calls;
  const { account } = simulation;

  app.get('/v2/bot/info', async () => ({
    userId: destination,
    basicId: '@sandbox',
    displayName: 'Sandbox shop',
    chatMode: 'bot',
    markAsReadMode: 'auto',
  }));

  app.get<{ Params: { userId: string } }>('/v2/bot/profile/:userId', async ({ params: { userId } }) => {
    if (!isUserId(userId)) throw invalidParameter('userId');
    if (!account.isReachable(userId, simulation.now())) throw notFound();
    return profileOf(userId);
  });

  app.get('/v2/bot/followers/ids', async (request) => {
    if (!calls.isVerified()) throw new LineError(403, 'Access to this API is not available for your account');
    const limit = { fallback: 300, max: 1_000, refusal: invalidParameter('limit') };
    const page = pageOf(account.friendsAt(simulation.now()), {
      start: queryText(request, 'start'),
      limit: wholeNumber(queryText(request, 'limit'), limit),
      now: simulation.now(),
    });
    return { userIds: page.items, ...page.next };
  });

  app.get('/v2/bot/message/quota', async () => {
    const value = quota();
    return value === null ? { type: 'none' } : { type: 'limited', value };
  });
  app.get('/v2/bot/message/quota/consumption', async () => ({
    totalUsage: account.usageAt(simulation.now()),
  }));

  const sentOn = (day: string, kind: string) => {
    const sends = account.sendsFrom(day, day).filter((send) => send.kind === kind);
    return sends.reduce((sum, { recipients }) => sum + recipients.length, 0);
  };
  for (const kind of ['reply', 'push', 'multicast', 'broadcast', 'pnp']) {
    app.get(`/v2/bot/message/delivery/${kind}`, async (request) => {
      const day = toDay(queryText(request, 'date'));
      if (day === null) throw invalidParameter('date');
      const { firstDay } = account;
      const readyAfterMs = calls.readyAfterMs();
      const status = readinessOf(day, {
        firstDay,
        beginning: beginnings.counters,
        now: simulation.now(),
        readyAfterMs,
      });
      return status === 'ready' ? { status, success: sentOn(day, kind) } : { status };
    });
  }
  app.get('/v2/bot/message/aggregation/info', async () => ({
    numOfCustomAggregationUnits: account.unitsAt(simulation.now()).length,
  }));
  app.get('/v2/bot/message/aggregation/list', async (request) => {
    const limit = { fallback: 100, max: 100, refusal: invalidParameter('limit') };
    const page = pageOf(account.unitsAt(simulation.now()), {
      start: queryText(request, 'start'),
      limit: wholeNumber(queryText(request, 'limit'), limit),
      now: simulation.now(),
    });
    return { customAggregationUnits: page.items, ...page.next };
  });

  app.get('/v2/bot/message/progress/narrowcast', async (request) => {
    const requestId = queryText(request, 'requestId') ?? '';
    if (!isUuid(requestId)) throw invalidParameter('requestId');
    const send = account.sends.find((one) => one.kind === 'narrowcast' && one.requestId === requestId);
    const progress = send === undefined ? null : progressOf(send, simulation.now());
    if (progress === null) throw notFound();
    return progress;
  });

  addWebhookCalls(app, simulation);
}

function addWebhookCalls(app: FastifyInstance, simulation: Simulation): void {
  const { outbox } = simulation;
  app.get('/v2/bot/channel/webhook/endpoint', async () => {
    const { endpoint, active } = outbox.webhook;
    if (endpoint === null) throw new LineError(404, 'Webhook endpoint not found');
    return { endpoint, active };
  });

  app.put('/v2/bot/channel/webhook/endpoint', async (request) => {
    outbox.webhook.endpoint = webhookUrl(bodyOf(request).endpoint);
    return {};
  });

  app.post('/v2/bot/channel/webhook/test', async ({ body }) => {
    const given = isObject(body) ? body.endpoint : undefined;
    const endpoint = given === undefined ? outbox.webhook.endpoint : webhookUrl(given);
    if (endpoint === null) throw new LineError(404, 'Webhook endpoint not found');
    const timestamp = new Date(simulation.now()).toISOString();
    const { status, reason, detail } = await outbox.post(endpoint, []);
    return { success: reason === 'OK', timestamp, statusCode: status, reason, detail };
  });
}

/** A webhook's address. LINE takes https only; the sandbox takes http, because it talks to servers under test. */
export function webhookUrl(value: unknown): string {
  const isGood =
    typeof value === 'string' && value.length <= urlMax && /^https?:\/\//.test(value) && URL.canParse(value);
  if (!isGood) throw new LineError(400, 'Invalid webhook endpoint URL');
  return value;
}

type Page<T> = { items: T[]; next: { next?: string } };

// A continuation token names the place and until when it is good.
function pageOf<T>(
  all: readonly T[],
  { start, limit, now }: { start: string | undefined; limit: number; now: number },
): Page<T> {
  const from = start === undefined ? 0 : placeOf(start, now);
  const to = from + limit;
  const items = all.slice(from, to);
  if (to >= all.length) return { items, next: {} };
  return { items, next: { next: Buffer.from(`${to} ${now + continuationMs}`).toString('base64url') } };
}

function placeOf(start: string, now: number): number {
  const [, place, until] = /^(\d+) (\d+)$/.exec(Buffer.from(start, 'base64url').toString()) ?? [];
  if (place === undefined || Number(until) < now) throw new LineError(400, 'Invalid start param');
  return Number(place);
}
