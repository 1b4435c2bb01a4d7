/** The HTTP server of the LINE simulator: access token, rate limits, faults on demand, LINE's error answers. */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { isObject } from '../../src/json.ts';
import { type Fault, type Faults, failAfter, failBefore } from '../frame/faults.ts';
import { addAccountCalls } from './account-calls.ts';
import type { CallRecord, Control, Settings } from './control.ts';
import { addControlCalls } from './control-calls.ts';
import { addInsightCalls } from './insight.ts';
import { LineError, notFound } from './line-error.ts';
import type { RateLimits } from './rate-limits.ts';
import { addRichMenuCalls } from './rich-menus.ts';
import { addSendCalls } from './sends.ts';
import type { Simulation } from './simulation.ts';
import { addTokenCalls, type ChannelCredentials, Tokens } from './tokens.ts';

export type Parts = {
  simulation: Simulation;
  control: Control;
  faults: Faults;
  limits: RateLimits;
  settings: Settings;
  credentials: { destination: string } & ChannelCredentials;
};

const bodyBytesMax = 2 * 1024 * 1024;
const missingToken =
  "Authorization header required. Must follow the scheme, 'Authorization: Bearer <ACCESS TOKEN>'";
const wrongToken =
  'Authentication failed. Confirm that the access token in the authorization header is valid.';

/** The server, before it listens. */
export function buildServer(parts: Parts): FastifyInstance {
  const { simulation, control, settings, credentials } = parts;
  let requests = 0;
  const app = Fastify({
    bodyLimit: bodyBytesMax,
    // Otherwise hanging calls would keep the server open.
    forceCloseConnections: true,
    // Control calls do not change the sequence of LINE's request ids.
    genReqId: ({ url }) => {
      if (url !== undefined && /^\/(v2|bot)\//.test(url)) requests += 1;
      return simulation.id('request', requests);
    },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  });
  addJsonParser(app);
  const tokens = new Tokens(credentials, () => simulation.now());
  addCallHooks(app, parts, tokens);
  app.setErrorHandler((error, _request, reply) => sendError(error, reply));
  app.setNotFoundHandler((_request, reply) => sendError(notFound(), reply));
  addSendCalls(app, { simulation, settings });
  addInsightCalls(app, { simulation, settings });
  addRichMenuCalls(app, { simulation, settings });
  addAccountCalls(app, { simulation, settings, destination: credentials.destination });
  // In a scope of its own: only these calls take form bodies.
  app.register(async (scope) => addTokenCalls(scope, { tokens, channelId: credentials.channelId }));
  addControlCalls(app, control);
  return app;
}

// LINE's client sends a content type with an empty body, which Fastify's own parser refuses.
function addJsonParser(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, text === '' ? undefined : JSON.parse(String(text)));
    } catch {
      done(new LineError(400, 'The request body could not be parsed as JSON (line: 1, column: 1)'));
    }
  });
}

/** Before each LINE call: its request id, faults, access token, rate limits. */
function addCallHooks(
  app: FastifyInstance,
  { simulation, control, faults, limits }: Parts,
  tokens: Tokens,
): void {
  const records = new WeakMap<FastifyRequest, CallRecord>();
  const laterFaults = new WeakMap<FastifyRequest, Fault>();

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-line-request-id', request.id);
    const path = pathOf(request);
    if (!/^\/(v2|bot|oauth2)\//.test(path)) return;
    const record = { at: simulation.now(), method: request.method, path, requestId: request.id, status: 0 };
    records.set(request, record);
    control.recordCall(record);
    const fault = faults.take(path);
    if (fault?.when === 'after') laterFaults.set(request, fault);
    else if (fault && (await failBefore(fault, reply))) return reply;
    if (!/^\/(v2\/)?bot\//.test(path)) return;
    authorize(request, tokens);
    if (!limits.take(`${request.method} ${path}`, simulation.now())) {
      throw new LineError(429, 'The API rate limit has been exceeded. Try again later.');
    }
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const fault = laterFaults.get(request);
    return fault === undefined ? payload : failAfter(fault, reply, payload);
  });
  app.addHook('onResponse', async (request, reply) => {
    const record = records.get(request);
    if (record && reply.raw.headersSent) record.status = reply.statusCode;
  });
}

function authorize({ headers }: FastifyRequest, tokens: Tokens): void {
  const [, token] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) throw new LineError(401, missingToken);
  if (tokens.secondsLeft(token, null) === null) throw new LineError(401, wrongToken);
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? '';
}

// An unexpected error is a bug of the simulator. Its message goes to the caller, who tests on the same machine.
function sendError(error: unknown, reply: FastifyReply): FastifyReply {
  if (error instanceof LineError) return reply.code(error.status).headers(error.headers).send(error.body);
  const { statusCode, code, message, validation } = isObject(error) ? error : {};
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const { url, headers } = reply.request;
    const refusal = `The content type, ${headers['content-type'] ?? '(none)'}, is not supported`;
    // LINE's own calls answer in LINE's words.
    const remedy = url.startsWith('/v2/') ? '' : '. Send the header "Content-Type: application/json".';
    return reply.code(415).send({ message: refusal + remedy });
  }
  return reply.code(typeof statusCode === 'number' ? statusCode : 500).send({
    message: typeof message === 'string' ? message + expectedValues(validation) : 'Internal server error',
  });
}

/** Completes the message about a control call's body: the allowed values, or the name of the unknown field. */
function expectedValues(validation: unknown): string {
  const [problem]: unknown[] = Array.isArray(validation) ? validation : [];
  const params = isObject(problem) && isObject(problem.params) ? problem.params : {};
  const { allowedValues, additionalProperty } = params;
  if (Array.isArray(allowedValues)) return `: ${allowedValues.join(', ')}`;
  return typeof additionalProperty === 'string' ? `: ${additionalProperty}` : '';
}
