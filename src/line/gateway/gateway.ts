/**
 * The gateway: LINE's calls at their own addresses, at the host's root, so that a bot built on LINE's SDK only changes its base
 * address.
 *
 *     POST /v2/bot/message/{push,multicast,broadcast,narrowcast,reply}
 *         token → LINE → record committed → LINE's answer     unknown token                401, nothing sent
 *                                                             scope too small              403, nothing sent
 *                                                             database away                503, nothing sent
 *                                                             LINE away or slow            502, 504
 *                                                             taken, but not recorded      500, and the accepted id
 *     /v2/bot/…, but for /v2/bot/insight
 *         token → LINE's answer, unrecorded
 *
 * A send goes to LINE once, whatever happens. Who is told that LINE took it is told so after the commit of its record; who is
 * not told asks again with the retry key, and LINE's 409 names the send, which is then recorded. One request id is one send,
 * however often it is recorded.
 */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { findLineCaller, type LineTokenScope, lineTokenScopes } from '../../bots/line-tokens.ts';
import { isOutage, logOutage } from '../../database/outage.ts';
import { withinTime } from '../../database/within-time.ts';
import { Refusal } from '../../errors.ts';
import { sendLineError, wrongTokenMessage } from '../../http/errors/line.ts';
import { sendKinds } from '../daily-figures.ts';
import { newRequestId, readLineToken, requestIdHeader } from '../headers.ts';
import { linkPrefix } from './click-links.ts';
import { LineHost } from './line-host.ts';
import type { GatewayOptions } from './options.ts';
import { addPassThrough } from './pass-through.ts';
import { checkSendTarget, type OpenCaller, send } from './send.ts';

/** LINE takes 2 MB; a little more, so that it is LINE who says no. */
const sendBytesMax = 3 * 1024 * 1024;
const retryAfterSeconds = '2';

/** Adds the calls to the server. `close` waits for the sends under way; call it when no request comes in any more. */
export async function registerGateway(
  app: FastifyInstance,
  options: GatewayOptions,
): Promise<{ close(): Promise<void> }> {
  const line = new LineHost(options.lineApi, options.times);
  const prefix = linkPrefix(options.publicUrl);
  const underway = new Set<Promise<unknown>>();
  await app.register(async (scope) => {
    scope.decorateRequest('lineCaller');
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: sendBytesMax },
      (_request, body, done) => {
        done(null, body);
      },
    );
    addLineManners(scope, options);
    for (const kind of sendKinds) {
      const onRequest = async (request: FastifyRequest) => {
        checkSendTarget(kind, request);
        request.setDecorator('lineCaller', await findCaller(request, 'send', options));
      };
      scope.post(`/v2/bot/message/${kind}`, { bodyLimit: sendBytesMax, onRequest }, (request, reply) => {
        // Kept apart from the caller's connection: who goes away does not stop the recording.
        const sending = send(kind, request, reply, {
          ...{ ...options, line, prefix },
          caller: request.getDecorator<OpenCaller>('lineCaller'),
        });
        underway.add(sending);
        return sending.finally(() => underway.delete(sending));
      });
    }
  });
  await app.register(async (scope) => {
    addLineManners(scope, options);
    addPassThrough(scope, {
      line,
      isOn: options.passThrough,
      findCaller: (request, needed) => findCaller(request, needed, options),
    });
  });
  return {
    async close() {
      await Promise.allSettled(underway);
      await line.close();
    },
  };
}

/** Errors in LINE's form, an id on every answer. */
function addLineManners(scope: FastifyInstance, { random, log }: GatewayOptions): void {
  scope.addHook('onRequest', async ({ headers }, reply) => {
    reply.header(requestIdHeader, newRequestId(random));
    // LINE decides about the type of a body; the headers that it gets are the raw ones.
    delete headers['content-type'];
  });
  scope.setErrorHandler((error, request, reply) => {
    if (error instanceof Refusal && error.code === 'GATEWAY_UNAVAILABLE')
      reply.header('retry-after', retryAfterSeconds);
    return sendLineError(error, request, reply, log);
  });
}

/** Throws Refusal TOKEN_INVALID, SCOPE_TOO_SMALL, CHANNEL_CLOSED, GATEWAY_UNAVAILABLE. */
async function findCaller(
  { headers }: FastifyRequest,
  needed: LineTokenScope,
  { sql, keys, clock, log }: GatewayOptions,
): Promise<OpenCaller> {
  const token = readLineToken(headers.authorization);
  const found = findLineCaller(sql, keys, { token, now: clock() });
  const caller = await withinTime(found).catch((error: unknown) => {
    if (error instanceof Refusal) throw error;
    if (isOutage(error)) logOutage(log, error);
    else log.error({ err: error }, 'a caller of LINE could not be looked up');
    throw new Refusal('GATEWAY_UNAVAILABLE', 'The database does not answer. Nothing was sent.');
  });
  if (caller === null) throw new Refusal('TOKEN_INVALID', wrongTokenMessage);
  const { accessToken, scope } = caller;
  if (lineTokenScopes.indexOf(scope) < lineTokenScopes.indexOf(needed)) {
    throw new Refusal(
      'SCOPE_TOO_SMALL',
      `The access token has the scope ${scope}. This call needs ${needed}.`,
    );
  }
  if (!caller.enabled) throw new Refusal('CHANNEL_CLOSED', 'The channel is disabled.');
  if (accessToken === null) throw new Refusal('CHANNEL_CLOSED', 'The channel has no access token of LINE.');
  return { ...caller, accessToken };
}
