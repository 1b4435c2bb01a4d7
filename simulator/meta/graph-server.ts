/** The HTTP server of the Meta simulator: versions, faults on demand, Graph's error answers. */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { isObject } from '../../src/json.ts';
import { type Fault, failAfter, failBefore } from '../frame/faults.ts';
import { addAccountCalls } from './account-calls.ts';
import type { MetaCallRecord } from './control.ts';
import { addMetaControlCalls } from './control-calls.ts';
import { GraphError } from './graph-error.ts';
import type { GraphParts } from './graph-parts.ts';
import { addMessageCalls } from './message-calls.ts';
import { addTokenCalls } from './token-calls.ts';

/** The server, before it listens. */
export function buildGraphServer(parts: GraphParts): FastifyInstance {
  let requests = 0;
  const app = Fastify({
    // Otherwise hanging calls would keep the server open.
    forceCloseConnections: true,
    // Every version of the API is the same here.
    rewriteUrl: ({ url = '/' }) => url.replace(/^\/v\d+\.\d+(?=\/)/, ''),
    genReqId: () => {
      requests += 1;
      return parts.simulation.id('trace', requests);
    },
    routerOptions: { ignoreTrailingSlash: true },
  });
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, text, done) => done(null, Object.fromEntries(new URLSearchParams(String(text)))),
  );
  addCallHooks(app, parts);
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  addMetaControlCalls(app, parts.control);
  addTokenCalls(app, parts);
  addMessageCalls(app, parts);
  addAccountCalls(app, parts);
  return app;
}

function addCallHooks(app: FastifyInstance, { control, faults, graphFaults, now }: GraphParts): void {
  const records = new WeakMap<FastifyRequest, MetaCallRecord>();
  const laterFaults = new WeakMap<FastifyRequest, Fault>();
  app.addHook('onRequest', async (request, reply) => {
    const { method, url } = request;
    const path = url.split('?', 1)[0] ?? '';
    if (path.startsWith('/sandbox/') || path.startsWith('/pictures/')) return;
    const record = { at: now(), method, path, query: withoutTokens(url), status: 0 };
    records.set(request, record);
    control.recordCall(record);
    const index = graphFaults.findIndex((one) => path.startsWith(one.path));
    const graphFault = graphFaults[index];
    if (graphFault) {
      graphFault.count -= 1;
      if (graphFault.count <= 0) graphFaults.splice(index, 1);
      throw new GraphError(graphFault.fault);
    }
    const fault = faults.take(path);
    if (fault?.when === 'after') laterFaults.set(request, fault);
    else if (fault && (await failBefore(fault, reply))) return reply;
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

function withoutTokens(url: string): string {
  const query = new URLSearchParams(url.split('?', 2)[1] ?? '');
  query.delete('access_token');
  query.delete('input_token');
  return decodeURIComponent(query.toString());
}

// An unexpected error is a bug of the simulator. Its message goes to the caller, who tests on the same machine.
function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof GraphError) return reply.code(error.fault.status).send(error.body(request.id));
  const { statusCode, message } = isObject(error) ? error : {};
  return reply.code(typeof statusCode === 'number' ? statusCode : 500).send({
    error: { message: typeof message === 'string' ? message : 'An unknown error occurred', code: 1 },
  });
}
