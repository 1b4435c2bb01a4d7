/**
 * LINE's calls about the account and its people: quota and consumption, counters of API sends, aggregation units, followers,
 * profiles, bot info, narrowcast status, webhook settings (Messaging API reference).
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isObject } from '../../src/json.ts';
import { hourMs } from '../../src/time.ts';
import { addPictures } from '../frame/pictures.ts';
import type { Settings } from './control.ts';
import { invalidParameter, LineError, notFound } from './line-error.ts';
import { progressOf } from './narrowcast.ts';
import { profileOf } from './people.ts';
import { firstDays, readinessOf } from './report.ts';
import { bodyOf, isUserId, isUuid, queryText, toDay, wholeNumber } from './request-fields.ts';
import type { Simulation } from './simulation.ts';

const continuationMs = 24 * hourMs;
const urlMax = 500;

type AccountCalls = {
  simulation: Simulation;
  settings: Readonly<Settings>;
  destination: string;
};

/** Adds the calls. */
export function addAccountCalls(app: FastifyInstance, calls: AccountCalls): void {
  addPeopleCalls(app, calls);
  addQuotaCalls(app, calls);
  addDeliveryCalls(app, calls);
  addWebhookCalls(app, calls.simulation);
}

function addPeopleCalls(app: FastifyInstance, { simulation, settings, destination }: AccountCalls): void {
  const { account } = simulation;
  app.get('/v2/bot/info', async () => ({
    userId: destination,
    basicId: '@sandbox',
    displayName: 'Sandbox shop',
    chatMode: 'bot',
    markAsReadMode: 'auto',
  }));

  addPictures(app);
  app.get<{ Params: { userId: string } }>('/v2/bot/profile/:userId', async (request) => {
    const { userId } = request.params;
    if (!isUserId(userId)) throw invalidParameter('userId');
    const now = Math.max(simulation.now(), account.lastEventAt);
    if (!account.isReachable(userId, now)) throw notFound();
    return { ...profileOf(userId, `http://${request.host}`), ...account.profiles.get(userId) };
  });

  app.get('/v2/bot/followers/ids', async (request) => {
    if (!settings.isVerified)
      throw new LineError(403, 'Access to this API is not available for your account');
    const now = simulation.now();
    const page = pageOf(account.friendsAt(now), request, { fallback: 300, max: 1_000, now });
    return { userIds: page.items, ...page.next };
  });
}

function addQuotaCalls(app: FastifyInstance, { simulation, settings }: AccountCalls): void {
  const { account } = simulation;
  app.get('/v2/bot/message/quota', async () => {
    const value = settings.quota;
    return value === null ? { type: 'none' } : { type: 'limited', value };
  });
  app.get('/v2/bot/message/quota/consumption', async () => ({
    totalUsage: account.usageAt(simulation.now()),
  }));
  app.get('/v2/bot/message/aggregation/info', async () => ({
    numOfCustomAggregationUnits: account.unitsAt(simulation.now()).length,
  }));
  app.get('/v2/bot/message/aggregation/list', async (request) => {
    const now = simulation.now();
    const page = pageOf(account.unitsAt(now), request, { fallback: 100, max: 100, now });
    return { customAggregationUnits: page.items, ...page.next };
  });
}

function addDeliveryCalls(app: FastifyInstance, { simulation, settings }: AccountCalls): void {
  const { account } = simulation;
  for (const kind of ['reply', 'push', 'multicast', 'broadcast', 'pnp', 'pnp-templated']) {
    app.get(`/v2/bot/message/delivery/${kind.replace('-', '/')}`, async (request) => {
      const day = toDay(queryText(request, 'date'));
      if (day === null) throw invalidParameter('date');
      const time = { since: firstDays.counters, now: simulation.now(), ...settings };
      const status = readinessOf(account, day, time);
      if (status !== 'ready') return { status };
      const sends = account.sendsFrom(day, day).filter((send) => send.kind === kind);
      return { status, success: sends.reduce((sum, { recipients }) => sum + recipients.length, 0) };
    });
  }

  app.get('/v2/bot/message/progress/narrowcast', async (request) => {
    const requestId = queryText(request, 'requestId') ?? '';
    if (!isUuid(requestId)) throw invalidParameter('requestId');
    const send = account.sends.find((one) => one.kind === 'narrowcast' && one.requestId === requestId);
    const progress = send === undefined ? null : progressOf(send, simulation.now());
    if (progress === null) throw notFound();
    return progress;
  });
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
    const requestedUrl = isObject(body) ? body.endpoint : undefined;
    const endpoint = requestedUrl === undefined ? outbox.webhook.endpoint : webhookUrl(requestedUrl);
    if (endpoint === null) throw new LineError(404, 'Webhook endpoint not found');
    const timestamp = new Date(simulation.now()).toISOString();
    const { status, reason, detail } = await outbox.post(endpoint, []);
    return { success: reason === 'OK', timestamp, statusCode: status, reason, detail };
  });
}

/** A webhook URL. LINE accepts https only. The simulator also accepts http, for servers under test. */
function webhookUrl(value: unknown): string {
  const isValid =
    typeof value === 'string' && value.length <= urlMax && /^https?:\/\//.test(value) && URL.canParse(value);
  if (!isValid) throw new LineError(400, 'Invalid webhook endpoint URL');
  return value;
}

// A continuation token contains the next index and the time until which it is valid.
function pageOf<T>(
  all: readonly T[],
  request: FastifyRequest,
  { fallback, max, now }: { fallback: number; max: number; now: number },
): { items: T[]; next: { next?: string } } {
  const start = queryText(request, 'start');
  const limit = queryText(request, 'limit');
  const from = start === undefined ? 0 : continuationIndex(start, now);
  const to = from + wholeNumber(limit, { fallback, max, error: invalidParameter('limit') });
  const items = all.slice(from, to);
  if (to >= all.length) return { items, next: {} };
  return { items, next: { next: Buffer.from(`${to} ${now + continuationMs}`).toString('base64url') } };
}

function continuationIndex(start: string, now: number): number {
  const [, index, until] = /^(\d+) (\d+)$/.exec(Buffer.from(start, 'base64url').toString()) ?? [];
  if (index === undefined || Number(until) < now) throw new LineError(400, 'Invalid start param');
  return Number(index);
}
