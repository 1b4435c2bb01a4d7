/**
 * Other calls of LINE: streamed to LINE and back, never recorded. Insight calls that Shoal does not hold are cached.
 */
import { Readable, Transform } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LineTokenScope } from '../../bots/line-tokens.ts';
import { Refusal } from '../../errors.ts';
import { addressOf } from '../../http/caller-address.ts';
import { type Clock, minuteMs } from '../../time.ts';
import { requestIdHeader } from '../headers.ts';
import { type LineHost, readAll } from '../line-host.ts';
import { headersForCaller, headersForLine } from './headers.ts';
import { InsightCache } from './insight-cache.ts';
import { scopeOfCall } from './scopes.ts';
import type { WithToken } from './send.ts';
import { sendPaths } from './send-calls.ts';
import { lineRoots, readTarget, type Target } from './target.ts';
import { TokenCalls, tokenBodyBytesMax } from './token-calls.ts';

type PassThrough = {
  line: LineHost;
  /** LINE's host of contents: messages, rich menu images, files of audiences. */
  lineData: LineHost;
  isOn: boolean;
  clock: Clock;
  /** Returns a stored answer of LINE to an Insight call; null: none is stored. */
  readInsight(botId: string, call: Target): Promise<object | null>;
  findCaller(
    request: FastifyRequest,
    needed: LineTokenScope,
  ): Promise<{ botId: string; withToken: WithToken }>;
};
type Options = PassThrough & { tokenCalls: TokenCalls; insight: InsightCache };

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const bodyBytesMax = 16 * 1024 * 1024;
const refusedBytesMax = 64 * 1024;
const callMsMax = 2 * minuteMs;
const insightRoot = '/v2/bot/insight/';
const tokenPath = /^\/(?:oauth2|v2\/oauth)\//;
/** Source: LINE Messaging API reference, "Domain name". */
const dataPath =
  /^\/v2\/bot\/(?:message\/[^/]+\/content(?:\/(?:preview|transcoding))?|richmenu\/[^/]+\/content|audienceGroup\/upload\/byFile)$/;

/** Adds every path below LINE's roots without a route of its own. */
export function addPassThrough(scope: FastifyInstance, passThrough: PassThrough): void {
  const options: Options = {
    ...passThrough,
    tokenCalls: new TokenCalls(),
    insight: new InsightCache(passThrough),
  };
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  for (const root of lineRoots) {
    scope.route({
      method: [...methods],
      url: `${root}*`,
      exposeHeadRoute: false,
      config: { isBodyStreamed: true },
      handler: (request, reply) => pass(request, reply, options),
    });
  }
}

async function pass(request: FastifyRequest, reply: FastifyReply, options: Options): Promise<FastifyReply> {
  const { line, lineData, isOn, findCaller, insight, readInsight } = options;
  const { path, query } = readTarget(request.raw.url ?? '');
  // Another spelling of a send would bypass the recording.
  const plain = path.toLowerCase();
  const isRespelled = plain !== path && (sendPaths.has(plain) || plain.startsWith(insightRoot));
  const isInsight = path.startsWith(insightRoot);
  if (!(isOn || isInsight) || isRespelled || `${plain}/` === insightRoot) {
    throw new Refusal('OPERATION_NOT_FOUND', `There is no ${path}`);
  }
  if (sendPaths.has(path)) {
    reply.header('allow', 'POST');
    throw new Refusal('METHOD_NOT_ALLOWED', `${path} takes POST`);
  }
  const method = methods.find((name) => name === request.method);
  if (method === undefined) throw new Refusal('METHOD_NOT_ALLOWED', `${path} takes no ${request.method}`);
  const caller = tokenPath.test(path) ? null : await findCaller(request, scopeOfCall(method, path));
  if (caller === null) {
    const end = options.tokenCalls.start(addressOf(request), options.clock());
    reply.raw.once('close', end);
  }
  if (caller !== null && isInsight) {
    if (method !== 'GET') throw new Refusal('METHOD_NOT_ALLOWED', `${path} takes GET`);
    const stored = await readInsight(caller.botId, { path, query });
    if (stored !== null) return reply.send(stored);
    if (!isOn) throw new Refusal('OPERATION_NOT_FOUND', `There is no ${path}`);
    const { status, headers, body } = await insight.read(caller, path + query);
    return reply.code(status).headers(headersForCaller(headers)).send(body);
  }
  const body = boundedBody(request, caller === null ? tokenBodyBytesMax : bodyBytesMax);
  const end = endOf(reply);
  let refused: Readable | undefined;
  const call = async (accessToken: string | null) => {
    // Frees the connection of the call that LINE refused.
    if (refused) void readAll(refused, refusedBytesMax).catch(() => null);
    const headers = headersForLine(request.raw.rawHeaders, { accessToken, isBuffered: false });
    const host = dataPath.test(path) ? lineData : line;
    const answer = await host.stream({ method, path: path + query, headers, body }, end);
    refused = answer.body;
    return answer;
  };
  const answer = await (caller === null
    ? call(null)
    : caller.withToken(call, { isRepeatable: body === null }));
  reply.removeHeader(requestIdHeader);
  return reply.code(answer.status).headers(headersForCaller(answer.headers)).send(answer.body);
}

/** A signal that aborts a call after its time limit, or when the caller disconnects. After the answer it has no effect. */
function endOf(reply: FastifyReply): AbortSignal {
  const disconnection = new AbortController();
  reply.raw.once('close', () =>
    disconnection.abort(new Refusal('LINE_UNREACHABLE', 'The caller disconnected.')),
  );
  return AbortSignal.any([disconnection.signal, AbortSignal.timeout(callMsMax)]);
}

/** The body as a stream; null: no body. Throws Refusal CALL_TOO_LARGE if its declared length is too large. */
function boundedBody({ body, headers }: FastifyRequest, bytesMax: number): Readable | null {
  if (!(body instanceof Readable)) return null;
  const declaredBytes = Number(headers['content-length'] ?? 0);
  if (declaredBytes > bytesMax) throw tooLarge(bytesMax);
  let bytes = 0;
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) done(tooLarge(bytesMax));
      else done(null, chunk);
    },
  });
  body.once('error', (error) => bounded.destroy(error));
  return body.pipe(bounded);
}

function tooLarge(bytesMax: number): Refusal {
  return new Refusal('CALL_TOO_LARGE', `The body must have at most ${bytesMax} bytes.`);
}
