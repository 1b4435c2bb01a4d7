/**
 * The gateway: LINE's calls at their original paths, so that a bot with LINE's SDK only changes its base URL.
 *
 *     POST /v2/bot/message/{push,multicast,broadcast,narrowcast,reply}, /bot/pnp/push, /v2/bot/message/pnp/templated/push
 *         token → LINE → record committed → LINE's answer     unknown token                401, nothing sent
 *                                                             scope too small              403, nothing sent
 *                                                             database unavailable         503, nothing sent
 *                                                             LINE unreachable or slow     502, 504
 *                                                             accepted, but not recorded   500, and the accepted id
 *     /v2/bot/…, /bot/pnp/…, /liff/v1/…, /shop/v3/…
 *         token → LINE's answer, unrecorded
 *     /oauth2/…, /v2/oauth/…
 *         LINE's answer; the body has the credentials
 *
 * Shoal calls LINE once for each send, and once more if LINE refuses a token that it issued to Shoal. The caller receives LINE's answer after the commit of the record. A caller without an
 * answer repeats the call with the retry key; LINE's 409 then names the send, and Shoal records it. One request id is one send,
 * even if it is recorded several times.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  findCallerOfChannel,
  findLineCaller,
  hashLineToken,
  type LineCaller,
  type LineTokenScope,
  lineTokenScopes,
  mayBeOfLine,
} from '../../bots/line-tokens.ts';
import { options as configOptions } from '../../config.ts';
import { logFailure } from '../../database/outage.ts';
import { withinTime } from '../../database/within-time.ts';
import { Refusal } from '../../errors.ts';
import { addressOf } from '../../http/caller-address.ts';
import { sendLineError, wrongTokenMessage } from '../../http/errors/line.ts';
import type { AccessFailure } from '../access.ts';
import { newRequestId, readLineToken, requestIdHeader } from '../headers.ts';
import { LineHost, type LineTimes } from '../line-host.ts';
import { readRichMenuReport } from '../rich-menus.ts';
import { addPassThrough } from './pass-through.ts';
import { checkSendTarget, type GatewayOptions, type OpenCaller, send } from './send.ts';
import { sendPaths } from './send-calls.ts';

/** LINE's limit is 2 MB. A slightly larger limit lets LINE reject the call itself. */
const sendBytesMax = 3 * 1024 * 1024;
const defaultTimes: LineTimes = { connectMs: 5_000, headMs: 20_000, silenceMs: 10_000, allMs: 30_000 };
const retryAfterSeconds = '2';

/** Adds the calls to the server. `close` waits for running sends; call it after the last request. */
export async function registerGateway(
  app: FastifyInstance,
  options: GatewayOptions,
): Promise<{ close(): Promise<void> }> {
  const line = new LineHost(options.lineApi, { ...defaultTimes, ...options.times });
  const lineData = new LineHost(dataAddress(options.lineApi), { ...defaultTimes, ...options.times });
  const prefix = options.publicUrl === null ? null : `${options.publicUrl}/r/`;
  const runningSends = new Set<Promise<unknown>>();
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
    addLineConventions(scope, options);
    for (const [path, kind] of sendPaths) {
      const onRequest = async (request: FastifyRequest) => {
        checkSendTarget(path, request);
        request.setDecorator('lineCaller', await findCaller(request, 'send', options));
      };
      scope.post(path, { bodyLimit: sendBytesMax, onRequest }, (request, reply) => {
        // Independent of the caller's connection, so that a disconnect does not stop the recording.
        const sending = send(kind, request, reply, {
          ...{ ...options, line, prefix },
          caller: request.getDecorator<OpenCaller>('lineCaller'),
        });
        runningSends.add(sending);
        return sending.finally(() => runningSends.delete(sending));
      });
    }
  });
  await app.register(async (scope) => {
    addLineConventions(scope, options);
    addPassThrough(scope, {
      ...{ line, lineData },
      clock: options.clock,
      isOn: options.passThrough,
      readInsight: (botId, call) => readRichMenuReport(options.sql, botId, call),
      findCaller: (request, needed) => findCaller(request, needed, options),
    });
  });
  return {
    async close() {
      await Promise.allSettled(runningSends);
      await Promise.all([line.close(), lineData.close()]);
    },
  };
}

/** The host of contents for an address of LINE's API. A stand-in for LINE answers both at one address. */
function dataAddress(lineApi: string): string {
  return lineApi === configOptions.lineApi.default ? 'https://api-data.line.me' : lineApi;
}

/** Adds errors in LINE's form and a request id on every answer. */
function addLineConventions(scope: FastifyInstance, { random, log }: GatewayOptions): void {
  scope.addHook('onRequest', async ({ headers }, reply) => {
    reply.header(requestIdHeader, newRequestId(random));
    // LINE checks the content type itself, and it receives the raw headers.
    delete headers['content-type'];
  });
  scope.setErrorHandler((error, request, reply) => {
    if (error instanceof Refusal && error.code === 'GATEWAY_UNAVAILABLE')
      reply.header('retry-after', retryAfterSeconds);
    return sendLineError(error, request, reply, log);
  });
}

/** Throws Refusal TOKEN_INVALID, SCOPE_TOO_SMALL, CHANNEL_CLOSED, GATEWAY_UNAVAILABLE, LINE_UNREACHABLE, RATE_LIMITED. */
async function findCaller(
  request: FastifyRequest,
  requiredScope: LineTokenScope,
  options: GatewayOptions,
): Promise<OpenCaller> {
  const token = readLineToken(request.headers.authorization);
  const caller = await findAnyCaller(token, request, options);
  if (caller === null) throw new Refusal('TOKEN_INVALID', wrongTokenMessage);
  const { scope, enabled, channel } = caller;
  if (lineTokenScopes.indexOf(scope) < lineTokenScopes.indexOf(requiredScope)) {
    throw new Refusal(
      'SCOPE_TOO_SMALL',
      `The access token has the scope ${scope}. This call needs ${requiredScope}.`,
    );
  }
  if (!enabled) throw new Refusal('CHANNEL_CLOSED', 'The channel is disabled.');
  if (channel === null) return { ...caller, withToken: (call) => call(token) };
  const access = await options.access.tokenOf(channel);
  if ('failure' in access) throw refusalOf(access);
  const withToken = async <Answer extends { status: number }>(
    call: (accessToken: string) => Promise<Answer>,
    { isRepeatable } = { isRepeatable: true },
  ): Promise<Answer> => {
    const isRefused = ({ status }: Answer) => status === 401;
    const answer = await options.access.callWith(channel, { call, isRefused, isRepeatable });
    if ('failure' in answer) throw refusalOf(answer);
    return answer;
  };
  return { ...caller, withToken };
}

function refusalOf({ failure, problem }: AccessFailure): Refusal {
  return failure === 'sealed'
    ? new Refusal('CHANNEL_CLOSED', 'The channel has no access token of LINE.')
    : new Refusal('LINE_UNREACHABLE', `${problem} Nothing was sent.`);
}

/** The caller with a token that Shoal knows, or that LINE verifies. */
async function findAnyCaller(
  token: string,
  request: FastifyRequest,
  { sql, keys, clock, log, verified }: GatewayOptions,
): Promise<LineCaller | null> {
  const lookUp = <Found>(reading: Promise<Found>): Promise<Found> =>
    withinTime(reading).catch((error: unknown) => {
      if (error instanceof Refusal) throw error;
      logFailure(log, error, 'a caller of LINE could not be looked up');
      throw new Refusal('GATEWAY_UNAVAILABLE', 'The database does not answer. Nothing was sent.');
    });
  const verifiedChannel = verified.channelOf(token);
  if (verifiedChannel !== null) return lookUp(findCallerOfChannel(sql, verifiedChannel));
  const known = await lookUp(findLineCaller(sql, keys, { token, now: clock() }));
  if (known !== null) return known;
  if (!(await lookUp(mayBeOfLine(sql, hashLineToken(token))))) return null;
  const channelId = await verified.verify(token, addressOf(request));
  return channelId === null ? null : lookUp(findCallerOfChannel(sql, channelId));
}
