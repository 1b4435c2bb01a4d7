/**
 * The dashboard: the files of `npm run build`, and the addresses of its pages.
 *
 *     /assets/…                        files with a hash in their names: cached for ever
 *     /icon.svg and the like           other files: revalidated each time, and answered 304
 *     /, /sign-in, /bots/{botId}/…     index.html for a call that accepts HTML; its script chooses the page by the address
 *
 * Other callers, and the addresses of the APIs, get the same answers as without a dashboard. The pages have a content security
 * policy that allows requests to this server only.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import staticFiles from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../../errors.ts';
import { plainPath, sendByPath } from '../../http/errors/by-path.ts';

const builtFolder = fileURLToPath(new URL('../../../dist/dashboard/', import.meta.url));
const yearSeconds = 31_536_000;
const hostForm = /^[\w.:[\]-]+$/;
/** First segments of addresses that are no pages. */
const others: ReadonlySet<string> = new Set([
  ...[
    'api',
    'openapi',
    'v2',
    'oauth2',
    'webhooks',
    'live-chat',
    'r',
    'mail',
    'docs',
    'metrics',
    'healthz',
    'readyz',
  ],
  'assets',
]);

/** Adds the pages to the server. Until they are built, their addresses answer 503. */
export async function registerPages(app: FastifyInstance, { folder = builtFolder } = {}): Promise<void> {
  const index = join(folder, 'index.html');
  app.setNotFoundHandler((request, reply) =>
    isPage(request) ? sendPage(index, request, reply) : refuse(request, reply),
  );
  await app.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      reply.headers(headersFor(request));
    });
    const options = {
      root: folder,
      serve: false,
      preCompressed: true,
      cacheControl: false,
      suppressWarning: true,
    };
    await scope.register(staticFiles, options);
    scope.get<{ Params: { '*': string } }>('/assets/*', ({ params }, reply) =>
      reply
        .header('cache-control', `public, max-age=${yearSeconds}, immutable`)
        .sendFile(`/assets/${params['*']}`),
    );
    scope.get<{ Params: { file: string } }>('/:file(^[\\w-]+\\.[a-z]+$)', ({ params }, reply) =>
      reply.header('cache-control', 'no-cache').sendFile(`/${params.file}`),
    );
  });
}

function isPage({ method, url, headers: { accept = '' } }: FastifyRequest): boolean {
  const [first = ''] = plainPath(url).slice(1).split('/', 1);
  return (method === 'GET' || method === 'HEAD') && accept.includes('text/html') && !others.has(first);
}

async function sendPage(index: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const html = await readFile(index).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  reply.headers({ ...headersFor(request), vary: 'Accept' });
  if (html === null) {
    const text = 'The dashboard is not built. On the server, run: npm run build\n';
    return reply.code(503).header('cache-control', 'no-store').type('text/plain; charset=utf-8').send(text);
  }
  return reply.code(200).header('cache-control', 'no-cache').type('text/html; charset=utf-8').send(html);
}

function refuse(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { method, url, log } = request;
  const missing = new Refusal('OPERATION_NOT_FOUND', `There is no ${method} ${plainPath(url)}`);
  return sendByPath(missing, request, reply.removeHeader('cache-control'), log);
}

/** The content security policy of the pages. */
function headersFor({ headers: { host = '' } }: FastifyRequest): Record<string, string> {
  // Some browsers do not include sockets of the same host in 'self'.
  const sockets = hostForm.test(host) ? ` ws://${host} wss://${host}` : '';
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    `connect-src 'self'${sockets}`,
    "font-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
}
