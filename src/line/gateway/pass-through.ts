/**
 * Other calls of LINE: streamed to LINE and back, never recorded.
 */
import { Readable, Transform } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LineTokenScope } from '../../bots/line-tokens.ts';
import { Refusal } from '../../errors.ts';
import { minuteMs } from '../../time.ts';
import { sendKinds } from '../daily-figures.ts';
import { requestIdHeader } from '../headers.ts';
import type { LineHost } from '../line-host.ts';
import { headersForCaller, headersForLine } from './headers.ts';
import { scopeOfCall } from './scopes.ts';
import { readTarget } from './target.ts';

type PassThrough = {
  line: LineHost;
  isOn: boolean;
  findCaller(request: FastifyRequest, needed: LineTokenScope): Promise<{ accessToken: string }>;
};

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const bodyBytesMax = 16 * 1024 * 1024;
const callMsMax = 2 * minuteMs;
const sendPaths = new Set(sendKinds.map((kind) => `/v2/bot/message/${kind}`));
/** Shoal answers these calls itself. */
const insightPath = /^\/v2\/bot\/insight(?:\/|$)/;

/** Adds every path below /v2/bot/ without a route of its own. */
export function addPassThrough(scope: FastifyInstance, options: PassThrough): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  scope.route({
    method: [...methods],
    url: '/v2/bot/*',
    exposeHeadRoute: false,
    config: { isBodyStreamed: true },
    handler: (request, reply) => pass(request, reply, options),
  });
}

async function pass(
  request: FastifyRequest,
  reply: FastifyReply,
  { line, isOn, findCaller }: PassThrough,
): Promise<FastifyReply> {
  const { path, query } = readTarget(request.raw.url ?? '');
  // Another spelling of a send would bypass the recording.
  const plain = path.toLowerCase();
  if (!isOn || insightPath.test(plain) || (sendPaths.has(plain) && path !== plain)) {
    throw new Refusal('OPERATION_NOT_FOUND', `There is no ${path}`);
  }
  if (sendPaths.has(path)) {
    reply.header('allow', 'POST');
    throw new Refusal('METHOD_NOT_ALLOWED', `${path} takes POST`);
  }
  const method = methods.find((name) => name === request.method);
  if (method === undefined) throw new Refusal('METHOD_NOT_ALLOWED', `${path} takes no ${request.method}`);
  const { accessToken } = await findCaller(request, scopeOfCall(method, path));
  const headers = headersForLine(request.raw.rawHeaders, { accessToken, isBuffered: false });
  const call = { method, path: path + query, headers, body: boundedBody(request) };
  const answer = await line.stream(call, endOf(reply));
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
function boundedBody({ body, headers }: FastifyRequest): Readable | null {
  if (!(body instanceof Readable)) return null;
  const declaredBytes = Number(headers['content-length'] ?? 0);
  if (declaredBytes > bodyBytesMax) throw tooLarge();
  let bytes = 0;
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength;
      if (bytes > bodyBytesMax) done(tooLarge());
      else done(null, chunk);
    },
  });
  body.once('error', (error) => bounded.destroy(error));
  return body.pipe(bounded);
}

function tooLarge(): Refusal {
  return new Refusal('CALL_TOO_LARGE', `The body must have at most ${bodyBytesMax} bytes.`);
}
