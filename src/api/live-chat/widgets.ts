/**
 * Finds the bot of a widget key, and checks the page's origin against the channel's allowed ones (CORS).
 *
 * The key is in the path, because a preflight has nothing else to identify the channel. The answer allows exactly the origin of the
 * call, never all origins, and never cookies.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Channel } from '../../bots/channels.ts';
import { cachedReads } from '../../database/cached-reads.ts';
import { Refusal } from '../../errors.ts';

const keyLengthMax = 1_000;
const preflightSeconds = 600;

/** Finds channels by widget keys. A change takes effect within two seconds. Throws Refusal WIDGET_NOT_FOUND. */
export function knownWidgets(read: (widgetKey: string) => Promise<Channel | null>) {
  const find = cachedReads(read);
  return async (widgetKey: string): Promise<Channel> => {
    const channel = widgetKey.length > keyLengthMax ? null : await find(widgetKey);
    if (channel === null)
      throw new Refusal('WIDGET_NOT_FOUND', 'There is no live chat with that widget key.');
    return channel;
  };
}

/** Throws Refusal ORIGIN_NOT_ALLOWED unless the channel allows the page's origin. A channel without a list allows any. */
export function checkOrigin({ allowedOrigins }: Channel, origin: string | undefined): void {
  if (allowedOrigins.length === 0 || (origin !== undefined && allowedOrigins.includes(origin))) return;
  throw new Refusal(
    'ORIGIN_NOT_ALLOWED',
    origin === undefined
      ? 'The call has no Origin header, and this live chat allows some origins only.'
      : `Origin ${JSON.stringify(origin)} is not allowed for this live chat.`,
  );
}

/** Allows the page to read the answer. */
export function allowOrigin(reply: FastifyReply, origin: string | undefined): void {
  reply.header('vary', 'Origin');
  if (origin === undefined) return;
  reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': 'Retry-After' });
}

/** True for a CORS preflight. */
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
