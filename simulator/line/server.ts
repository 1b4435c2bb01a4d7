/** The HTTP server of LINE's side: who may call, how often, what fails on demand, and how LINE words a refusal. */
import { createHash, timingSafeEqual } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { hourMs } from '../../src/time.ts';
import { isObject } from '../caller.ts';
import { addAccountCalls } from './account-calls.ts';
import type { CallRecord, Control, Settings } from './control.ts';
import { addControlCalls } from './control-calls.ts';
import { type Fault, type Faults, failAfter, failBefore } from './faults.ts';
import { addInsightCalls } from './insight.ts';
import type { Limits } from './limits.ts';
import { LineError, notFound } from './line-error.ts';
import { addSendCalls } from './sends.ts';
import type { Simulation } from './simulation.ts';

export type Parts = {
  simulation: Simulation;
  control: Control;
  faults: Faults;
  limits: Limits;
  settings: Settings;
  credentials: { destination: string; accessToken: string };
};

const bodyBytesMax = 2 * 1024 * 1024;
const noToken =
  "Authorization header required. Must follow the scheme, 'Authorization: Bearer <ACCESS TOKEN>'";
const wrongToken =
  'Authentication failed. Confirm that the access token in the authorization header is valid.';

/** The server, not listening yet. */
export function buildServer(parts: Parts): FastifyInstance {
  const { simulation, control, settings, credentials } = parts;
  let requests = 0;
  const app = Fastify({
    bodyLimit: bodyBytesMax,
    // Calls that were left hanging must not keep it open.
    forceCloseConnections: true,
    // Asking the sandbox anything changes no id that LINE gives out.
    genReqId: ({ url }) => {
      if (url?.startsWith('/v2/')) requests += 1;
      return simulation.id('request', requests);
    },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  });
  addJson(app);
  addGate(app, parts);
  app.setErrorHandler((error, _request, reply) => sendError(error, reply));
  app.setNotFoundHandler((_request, reply) => sendError(notFound(), reply));
  const quota = () => settings.quota;
  const readyAfterMs = () => settings.readyAfterHours * hourMs;
  const isVerified = () => settings.isVerified;
  addSendCalls(app, { simulation, quota });
  addInsightCalls(app, { simulation, readyAfterMs });
  addAccountCalls(app, { simulation, destination: credentials.destination, quota, readyAfterMs, isVerified });
  addControlCalls(app, control);
  return app;
}

// An empty body is none: LINE's own client names a type even then.
function addJson(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, text === '' ? undefined : JSON.parse(String(text)));
    } catch {
      done(new LineError(400, 'The request body could not be parsed as JSON (line: 1, column: 1)'));
    }
  });
}

/** What stands before every call of LINE's: its id, the failures on demand, the token, the limits. */
function addGate(app: FastifyInstance, { simulation, control, faults, limits, credentials }: Parts): void {
  const records = new WeakMap<FastifyRequest, CallRecord>();
  const spoiled = new WeakMap<FastifyRequest, Fault>();

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-line-request-id', request.id);
    const path = pathOf(request);
    if (!path.startsWith('/v2/')) return;
    const record = { at: simulation.now(), method: request.method, path, requestId: request.id, status: 0 };
    records.set(request, record);
    control.note(record);
    const fault = faults.take(path);
    if (fault?.when === 'after') spoiled.set(request, fault);
    else if (fault && (await failBefore(fault, reply))) return reply;
    authorize(request, credentials.accessToken);
    if (!limits.take(`${request.method} ${path}`, simulation.now())) {
      throw new LineError(429, 'The API rate limit has been exceeded. Try again later.');
    }
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const fault = spoiled.get(request);
    return fault === undefined ? payload : failAfter(fault, reply, payload);
  });
  app.addHook('onResponse', async (request, reply) => {
    const record = records.get(request);
    if (record && reply.raw.headersSent) record.status = reply.statusCode;
  });
}

function authorize({ headers }: FastifyRequest, accessToken: string): void {
  const [, token] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) throw new LineError(401, noToken);
  const hash = (text: string) => createHash('sha256').update(text).digest();
  if (!timingSafeEqual(hash(token), hash(accessToken))) throw new LineError(401, wrongToken);
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? '';
}

// What is neither LINE's refusal nor Fastify's is a fault of the sandbox, and says so to whoever tests against it.
function sendError(error: unknown, reply: FastifyReply): FastifyReply {
  if (error instanceof LineError) return reply.code(error.status).headers(error.headers).send(error.body);
  const { statusCode, code, message } = isObject(error) ? error : {};
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const type = reply.request.headers['content-type'] ?? '';
    return reply.code(415).send({ message: `The content type, ${type}, is not supported` });
  }
  return reply
    .code(typeof statusCode === 'number' ? statusCode : 500)
    .send({ message: typeof message === 'string' ? message : 'Internal server error' });
}
