/**
 * Whose widget calls, and from which page: the bot behind a widget key, and the origins that its channel allows (CORS).
 *
 * The key stands in the path, so that a preflight, which shows nothing else, can be held against the channel's own origins. The
 * answer names exactly the origin that asked, never every one, and never allows cookies.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Channel } from '../../bots/channels.ts';
import { withinTime } from '../../database/within-time.ts';
import { Refusal } from '../../errors.ts';

type Read = (widgetKey: string) => Promise<Channel | null>;

const freshMs = 2_000;
const keptMax = 10_000;
const keyLengthMax = 1_000;
const preflightSeconds = 600;

/**
 * Finds channels by widget keys, and keeps them for two seconds; so long, at most, a change goes unnoticed. Throws Refusal
 * WIDGET_NOT_FOUND.
 */
export function knownWidgets(read: Read, monotonicMs: () => number = () => performance.now()) {
  const known = new LRUCache<string, { channel: Promise<Channel | null>; readAt: number }>({ max: keptMax });
  return async (widgetKey: string): Promise<Channel> => {
    const kept = known.get(widgetKey);
    const isFresh = kept !== undefined && monotonicMs() - kept.readAt < freshMs;
    const reading = isFresh
      ? kept.channel
      : withinTime(widgetKey.length > keyLengthMax ? Promise.resolve(null) : read(widgetKey));
    if (!isFresh) {
      known.set(widgetKey, { channel: reading, readAt: monotonicMs() });
      reading.catch(() => known.delete(widgetKey));
    }
    const channel = await reading;
    if (channel === null)
      throw new Refusal('WIDGET_NOT_FOUND', 'There is no live chat with that widget key.');
    return channel;
  };
}

/** Throws Refusal ORIGIN_NOT_ALLOWED unless the page that asks may carry the widget. A channel that names none allows any. */
export function checkOrigin({ allowedOrigins }: Channel, origin: string | undefined): void {
  if (allowedOrigins.length === 0 || (origin !== undefined && allowedOrigins.includes(origin))) return;
  throw new Refusal(
    'ORIGIN_NOT_ALLOWED',
    origin === undefined
      ? 'The call names no origin, and this live chat is for pages of some origins only.'
      : `Pages of ${JSON.stringify(origin)} may not carry this live chat.`,
  );
}

/** Tells the browser that the page may read the answer. */
export function allowOrigin(reply: FastifyReply, origin: string | undefined): void {
  reply.header('vary', 'Origin');
  if (origin === undefined) return;
  reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': 'Retry-After' });
}

/** True for a browser's question whether it may send a call. */
export function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

export function answerPreflight(reply: FastifyReply): FastifyReply {
  return reply
    .code(204)
    .headers({
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'Authorization, Content-Type',
      'access-control-max-age': String(preflightSeconds),
    })
    .send();
}
