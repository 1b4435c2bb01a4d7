/**
 * LINE's send calls: push, multicast, broadcast, narrowcast, reply and pushes to telephone numbers, with their checks, retry keys,
 * aggregation units and the monthly limit (Messaging API reference, "Message"; "Retry failed API requests"; LINE notification
 * messages API reference).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { JsonObject } from '../../src/json.ts';
import { dayMs } from '../../src/time.ts';
import { stableNumber } from '../events/ids.ts';
import { newSend, type Send, type SendKind } from './account.ts';
import { type Bubble, isQuotable, readMessages } from './bubbles.ts';
import type { Settings } from './control.ts';
import { invalidProperty, LineError } from './line-error.ts';
import { narrowcastOf } from './narrowcast.ts';
import { stateAt } from './people.ts';
import { bodyOf, isUserId, isUuid } from './request-fields.ts';
import type { Simulation } from './simulation.ts';

const retryKeyMs = dayMs;
const multicastMax = 500;
const unitsMonthMax = 1_000;

type SentMessage = { id: string; quoteToken?: string };
type AcceptedSend = { requestId: string; at: number; kind: SendKind; sentMessages: SentMessage[] };

/** The recipients of a request, and the time and failure where these differ from the usual. */
type Reach = Pick<Send, 'recipients'> & Partial<Pick<Send, 'sentAt' | 'failure'>>;

type SendCalls = { simulation: Simulation; settings: Readonly<Settings> };

/** Adds the send calls and the calls that validate messages. */
export function addSendCalls(app: FastifyInstance, { simulation, settings }: SendCalls): void {
  const { account } = simulation;
  const acceptedSends = new Map<string, AcceptedSend>();
  const send = (kind: SendKind, request: FastifyRequest, reachOf: (body: JsonObject) => Reach) =>
    accept({ simulation, settings, acceptedSends, kind, request, reachOf });

  app.post('/v2/bot/message/reply', async (request) => {
    const sentMessages = send('reply', request, ({ replyToken }) => {
      if (typeof replyToken !== 'string') throw invalidProperty('replyToken');
      const event = simulation.outbox.useReplyToken(replyToken, simulation.now());
      if (event === null) throw new LineError(400, 'Invalid reply token');
      return { recipients: event.person?.id ? [event.person.id] : [] };
    });
    return { sentMessages };
  });

  app.post('/v2/bot/message/push', async (request) => {
    const sentMessages = send('push', request, ({ to }) => {
      if (typeof to !== 'string' || to === '') throw invalidProperty('to');
      const group = account.groups.get(to);
      if (group !== undefined) return { recipients: [...group] };
      if (!account.people.has(to)) throw new LineError(400, 'Failed to send messages');
      return { recipients: account.isReachable(to, simulation.now()) ? [to] : [] };
    });
    return { sentMessages };
  });

  app.post('/v2/bot/message/multicast', async (request) => {
    send('multicast', request, ({ to }) => {
      if (!Array.isArray(to) || to.length === 0 || to.length > multicastMax) throw invalidProperty('to');
      const invalidIndex = to.findIndex((userId) => !isUserId(userId));
      if (invalidIndex >= 0) throw invalidProperty(`to[${invalidIndex}]`);
      const friends = new Set(account.friendsAt(simulation.now()));
      return { recipients: [...new Set(to.filter(isUserId))].filter((userId) => friends.has(userId)) };
    });
    return {};
  });

  app.post('/v2/bot/message/broadcast', async (request) => {
    send('broadcast', request, () => ({ recipients: account.friendsAt(simulation.now()) }));
    return {};
  });

  app.post('/v2/bot/message/narrowcast', async (request, reply: FastifyReply) => {
    send('narrowcast', request, (body) =>
      narrowcastOf(body, { account, at: simulation.now(), quota: settings.quota }),
    );
    return reply.code(202).send({});
  });

  const pushToNumber = ({ to }: JsonObject): Reach => {
    if (typeof to !== 'string' || !/^[0-9a-f]{64}$/.test(to)) throw invalidProperty('to');
    const userId = account.personWithNumber(to);
    if (userId === null) throw new LineError(422, 'Failed to send messages');
    // LINE accepts a push to a person who blocks the account, and does not deliver it.
    const person = account.people.get(userId);
    const isBlocked = person !== undefined && stateAt(person, simulation.now()) === 'blocked';
    return { recipients: isBlocked ? [] : [userId] };
  };
  app.post('/bot/pnp/push', async (request) => {
    send('pnp', request, pushToNumber);
    return {};
  });
  app.post('/v2/bot/message/pnp/templated/push', async (request, reply: FastifyReply) => {
    send('pnp-templated', request, pushToNumber);
    return reply.code(202).send({});
  });

  for (const kind of ['reply', 'push', 'multicast', 'broadcast', 'narrowcast']) {
    app.post(`/v2/bot/message/validate/${kind}`, async (request) => {
      readMessages(bodyOf(request).messages);
      return {};
    });
  }
}

type Attempt = SendCalls & {
  acceptedSends: Map<string, AcceptedSend>;
  kind: SendKind;
  request: FastifyRequest;
  reachOf: (body: JsonObject) => Reach;
};

/** Checks and accepts a send. Throws LineError. */
function accept(attempt: Attempt): SentMessage[] {
  const { simulation, settings, acceptedSends, kind, request, reachOf } = attempt;
  const { account } = simulation;
  const { quota } = settings;
  const now = simulation.now();
  const retryKey = retryKeyOf(request, kind);
  const accepted = retryKey === null ? undefined : acceptedSends.get(retryKey);
  if (accepted !== undefined && now - accepted.at <= retryKeyMs) throw alreadyAccepted(accepted);
  const body = bodyOf(request);
  const bubbles = kind === 'pnp-templated' ? readTemplate(body) : readMessages(body.messages);
  const unit = unitOf(body, account.unitsAt(now));
  const reach = { sentAt: now, ...reachOf(body) };
  const isFree = kind === 'reply';
  if (quota !== null && !isFree && account.usageAt(now) + reach.recipients.length > quota) {
    throw new LineError(429, 'You have reached your monthly limit.');
  }
  const requestId = request.id;
  simulation.accept(newSend({ kind, requestId, acceptedAt: now, bubbles, unit, ...reach }));
  const sentMessages = bubbles.map((bubble) => sentMessage(requestId, bubble));
  if (retryKey !== null) acceptedSends.set(retryKey, { requestId, at: now, kind, sentMessages });
  return sentMessages;
}

/** The bubbles of a push by template: none of its own. */
function readTemplate({ templateKey }: JsonObject): Bubble[] {
  if (typeof templateKey !== 'string' || templateKey === '') throw invalidProperty('templateKey');
  return [];
}

function retryKeyOf({ headers }: FastifyRequest, kind: SendKind): string | null {
  const key = headers['x-line-retry-key'];
  if (key === undefined) return null;
  // LINE does not publish its messages for these two errors, nor its answer to a key of a push to a telephone number.
  if (kind === 'reply' || kind === 'pnp' || kind === 'pnp-templated')
    throw new LineError(400, "The 'X-Line-Retry-Key' header is not supported by this API");
  if (typeof key !== 'string' || !isUuid(key))
    throw new LineError(400, "The 'X-Line-Retry-Key' header is invalid");
  return key.toLowerCase();
}

function alreadyAccepted({ requestId, kind, sentMessages }: AcceptedSend): LineError {
  const fields = kind === 'push' ? { sentMessages } : {};
  return new LineError(409, 'The retry key is already accepted', fields, {
    'x-line-accepted-request-id': requestId,
  });
}

// After a month's first thousand units LINE sends the message without recording the unit.
function unitOf({ customAggregationUnits: units }: JsonObject, monthUnits: readonly string[]): string | null {
  if (units === undefined) return null;
  if (!Array.isArray(units) || units.length > 1) throw invalidProperty('customAggregationUnits');
  const [unit] = units;
  if (unit === undefined) return null;
  if (typeof unit !== 'string' || !/^\w{1,30}$/.test(unit))
    throw invalidProperty('customAggregationUnits[0]');
  return monthUnits.includes(unit) || monthUnits.length < unitsMonthMax ? unit : null;
}

function sentMessage(requestId: string, { seq, type }: Bubble): SentMessage {
  const id = `5${stableNumber(`${requestId} ${seq}`, 4e9)}`.padEnd(18, '0');
  if (!isQuotable(type)) return { id };
  return { id, quoteToken: `q${stableNumber(`quote ${requestId} ${seq}`, 4e9)}` };
}
