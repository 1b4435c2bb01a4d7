/**
 * `/mcp`: the MCP server over streamable HTTP, without sessions. Each call has an admin token, which counts as a management call.
 *
 *     origin → token, calls a minute → body read → MCP → the management API with the same token, in this process
 *
 * The SDK is loaded with the first call that has a valid token.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Refusal } from '../../errors.ts';
import { readJsonBodies } from '../../http/bodies.ts';
import { sameCaller } from '../../http/caller-address.ts';
import { sendProblem } from '../../http/errors/problem.ts';
import { isObject } from '../../json.ts';
import { type ApiCall, ownTokenPath, toBody } from './api-call.ts';

type Options = { publicUrl: string | null; showsNames: boolean; log: Pick<Logger, 'error' | 'info'> };

const path = '/mcp';
const passedHeaders = ['accept', 'content-type', 'mcp-protocol-version'];
/** Of a refused token or a used-up limit, the answer is that of the management API, with these headers. */
const refusalHeaders = ['content-type', 'cache-control', 'www-authenticate', 'retry-after'];
const limitHeaders = ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'];

export async function registerMcp(app: FastifyInstance, options: Options): Promise<void> {
  await app.register(async (scope) => {
    readJsonBodies(scope);
    scope.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, options.log, 'MCP'));
    scope.post(path, {
      onRequest: async (request, reply) => {
        checkOrigin(request, options.publicUrl);
        return admit(app, request, reply);
      },
      handler: (request, reply) => answer(app, request, reply, options),
    });
    scope.route({
      url: path,
      method: ['GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'],
      // Without sessions, there is no stream to open and no session to delete.
      handler: async (_request, reply) => {
        reply.header('allow', 'POST');
        throw new Refusal('METHOD_NOT_ALLOWED', `${path} takes POST only.`);
      },
    });
  });
}

/**
 * Pages of other hosts may not call, even if their host name leads to this server (DNS rebinding). So the request's own `Host` does
 * not count: the origin must be the public address or a loopback one. Programs send no `Origin`.
 */
export function isAllowedOrigin(origin: string | undefined, publicUrl: string | null): boolean {
  if (origin === undefined) return true;
  const page = URL.parse(origin);
  if (page === null || !/^https?:$/.test(page.protocol)) return false;
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(page.hostname);
  return isLoopback || (publicUrl !== null && page.origin === URL.parse(publicUrl)?.origin);
}

function checkOrigin({ headers: { origin } }: FastifyRequest, publicUrl: string | null): void {
  if (isAllowedOrigin(origin, publicUrl)) return;
  throw new Refusal(
    'ORIGIN_NOT_ALLOWED',
    `Pages of ${origin} may not call ${path}. The address of this server is SHOAL_PUBLIC_URL.`,
  );
}

async function admit(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const own = await inject(app, request, ownTokenPath);
  const names = own.statusCode === 200 ? limitHeaders : [...limitHeaders, ...refusalHeaders];
  for (const name of names) {
    const value = own.headers[name];
    if (value !== undefined) reply.header(name, value);
  }
  return own.statusCode === 200 ? undefined : reply.code(own.statusCode).send(own.body);
}

async function answer(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  { showsNames }: Options,
): Promise<FastifyReply> {
  const { body, headers } = request;
  // One call may not start many: MCP has no batches since 2025-06-18.
  if (!isObject(body)) throw new Refusal('INPUT_INVALID', 'The body must be one JSON-RPC message.');
  const [{ openMcp }, { WebStandardStreamableHTTPServerTransport: Transport }] = await Promise.all([
    import('./server.ts'),
    import('@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'),
  ]);
  const call: ApiCall = async (address) => {
    const { statusCode, body: text } = await inject(app, request, address);
    return { status: statusCode, body: toBody(text) };
  };
  const server = openMcp({ call, showsNames });
  const transport = new Transport({ enableJsonResponse: true });
  await server.connect(transport);
  try {
    const passed = passedHeaders.flatMap((name) =>
      headers[name] === undefined ? [] : [[name, headers[name]]],
    );
    const message = new Request(`http://localhost${path}`, {
      method: 'POST',
      headers: Object.fromEntries(passed),
    });
    const response = await transport.handleRequest(message, { parsedBody: body });
    const text = await response.text();
    reply
      .code(response.status)
      .headers(Object.fromEntries(response.headers))
      .header('cache-control', 'no-store');
    return text === '' ? reply.send() : reply.send(text);
  } finally {
    await server.close();
  }
}

/** A call of the management API in this process, with all of its checks, by the caller of the request. */
function inject(app: FastifyInstance, request: FastifyRequest, url: string) {
  const { authorization } = request.headers;
  return app.inject({
    method: 'GET',
    url,
    ...sameCaller(request),
    headers: authorization === undefined ? {} : { authorization },
  });
}
