/**
 * LINE's five send calls: push, multicast, broadcast, narrowcast and reply, with their checks, retry keys, aggregation units
 * and the monthly limit (Messaging API reference, "Message"; "Retry failed API requests").
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { dayMs } from '../../src/time.ts';
import type { JsonObject } from '../caller.ts';
import { variety } from '../diary.ts';
import type { Send, SendKind } from './account.ts';
import { type Bubble, isQuotable, readMessages } from './bubbles.ts';
import { invalidProperty, LineError } from './line-error.ts';
import { narrowcastOf } from './narrowcast.ts';
import { bodyOf, isUserId, isUuid } from './requests.ts';
import type { Simulation } from './simulation.ts';

const retryKeyMs = dayMs;
const multicastMax = 500;
const unitsMonthMax = 1_000;

type SentMessage = { id: string; quoteToken?: string };
type Accepted = { requestId: string; at: number; kind: SendKind; sentMessages: SentMessage[] };

/** What a kind of send has to say: whom it reaches, and when. */
type Reach = Pick<Send, 'recipients'> & Partial<Pick<Send, 'sentAt' | 'failure'>>;

export type SendCalls = { simulation: Simulation; quota: () => number | null };

/** Adds the calls, and those that only check messages. */
export function addSendCalls(app: FastifyInstance, { simulation, quota }: SendCalls): void {
  const accepted = new Map<string, Accepted>();

  const send = (
    kind: SendKind,
    request: FastifyRequest,
    reach: (body: JsonObject, bubbles: Bubble[]) => Reach,
  ) => {
    const now = simulation.now();
    const retryKey = retryKeyOf(request, kind);
    const before = retryKey === null ? undefined : accepted.get(retryKey);
    if (before !== undefined && now - before.at <= retryKeyMs) throw alreadyAccepted(before);
    const body = bodyOf(request);
    const bubbles = readMessages(body.messages);
    const unit = unitOf(body, simulation.account.unitsAt(now));
    const { recipients, sentAt = now, failure = null } = reach(body, bubbles);
    const limit = quota();
    const isFree = kind === 'reply';
    if (limit !== null && !isFree && simulation.account.usageAt(now) + recipients.length > limit) {
      throw new LineError(429, 'You have reached your monthly limit.');
    }
    const requestId = request.id;
    simulation.accept({
      kind,
      requestId,
      acceptedAt: now,
      sentAt,
      bubbles,
      unit,
      recipients,
      failure,
      interactions: [],
    });
    const sentMessages = bubbles.map((bubble) => sentMessage(requestId, bubble));
    if (retryKey !== null) accepted.set(retryKey, { requestId, at: now, kind, sentMessages });
    return sentMessages;
  };

  app.post('/v2/bot/message/reply', async (request) => {
    const sentMessages = send('reply', request, ({ replyToken }) => {
      if (typeof replyToken !== 'string') throw invalidProperty('replyToken');
      const answered = simulation.outbox.useReplyToken(replyToken, simulation.now());
      if (answered === null) throw new LineError(400, 'Invalid reply token');
      return { recipients: answered.person?.id ? [answered.person.id] : [] };
    });
    return { sentMessages };
  });

  app.post('/v2/bot/message/push', async (request) => {
    const { account } = simulation;
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
      const wrong = to.findIndex((userId) => !isUserId(userId));
      if (wrong >= 0) throw invalidProperty(`to[${wrong}]`);
      const friends = new Set(simulation.account.friendsAt(simulation.now()));
      return { recipients: [...new Set(to.filter(isUserId))].filter((userId) => friends.has(userId)) };
    });
    return {};
  });

  app.post('/v2/bot/message/broadcast', async (request) => {
    send('broadcast', request, () => ({ recipients: simulation.account.friendsAt(simulation.now()) }));
    return {};
  });

  app.post('/v2/bot/message/narrowcast', async (request, reply: FastifyReply) => {
    send('narrowcast', request, (body) =>
      narrowcastOf(body, { account: simulation.account, at: simulation.now(), quota: quota() }),
    );
    return reply.code(202).send({});
  });

  for (const kind of ['reply', 'push', 'multicast', 'broadcast', 'narrowcast']) {
    app.post(`/v2/bot/message/validate/${kind}`, async (request) => {
      readMessages(bodyOf(request).messages);
      return {};
    });
  }
}

function retryKeyOf({ headers }: FastifyRequest, kind: SendKind): string | null {
  const key = headers['x-line-retry-key'];
  if (key === undefined) return null;
  // LINE's words for these two are not published.
  if (kind === 'reply')
    throw new LineError(400, "The 'X-Line-Retry-Key' header is not supported by this API");
  if (typeof key !== 'string' || !isUuid(key))
    throw new LineError(400, "The 'X-Line-Retry-Key' header is invalid");
  return key.toLowerCase();
}

function alreadyAccepted({ requestId, kind, sentMessages }: Accepted): LineError {
  const more = kind === 'push' ? { sentMessages } : {};
  return new LineError(409, 'The retry key is already accepted', more, {
    'x-line-accepted-request-id': requestId,
  });
}

// Past the thousandth name of a month LINE sends the message, but does not note the name.
function unitOf({ customAggregationUnits: units }: JsonObject, known: readonly string[]): string | null {
  if (units === undefined) return null;
  if (!Array.isArray(units) || units.length > 1) throw invalidProperty('customAggregationUnits');
  const [unit] = units;
  if (unit === undefined) return null;
  if (typeof unit !== 'string' || !/^\w{1,30}$/.test(unit))
    throw invalidProperty('customAggregationUnits[0]');
  return known.includes(unit) || known.length < unitsMonthMax ? unit : null;
}

function sentMessage(requestId: string, { seq, type }: Bubble): SentMessage {
  const id = `5${variety(`${requestId} ${seq}`, 4e9)}`.padEnd(18, '0');
  return isQuotable(type) ? { id, quoteToken: `q${variety(`quote ${requestId} ${seq}`, 4e9)}` } : { id };
}
