/**
 * `/docs`: a page to read the API documents and try their calls, the documents themselves, and the list of errors.
 *
 * The page works without a network: its parts are files of a package. The content security policy forbids requests to other hosts,
 * and a tried call always goes to this server, even if the document names another one.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import staticFiles from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { catalogue } from '../../errors.ts';
import { readAddition } from '../../http/contract-document.ts';
import { once } from '../../once.ts';

const documents = [
  { file: 'management.yaml', name: 'Management API' },
  { file: 'mantago.yaml', name: 'MantaGo OpenAPI' },
  { file: 'mantago-partial.yaml', name: 'MantaGo OpenAPI, operations known in part' },
  { file: 'line-insight.yaml', name: 'LINE Insight API' },
  { file: 'live-chat.yaml', name: 'Live chat, visitors' },
] as const;

const contracts = new URL('../../../contracts/', import.meta.url);
const assets = join(dirname(createRequire(import.meta.url).resolve('@fastify/swagger-ui')), 'static');
const servedAssets = [
  'swagger-ui.css',
  'index.css',
  'favicon-32x32.png',
  'favicon-16x16.png',
  'swagger-ui-bundle.js',
  'swagger-ui-standalone-preset.js',
];

// Images in the style sheet are data URLs.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'content-security-policy': policy,
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

/** Adds `/docs` to the server. */
export async function registerDocuments(app: FastifyInstance): Promise<void> {
  await app.register(
    async (scope) => {
      scope.addHook('onRequest', async (_request, reply) => {
        reply.headers(headers);
      });
      scope.get('', (_request, reply) => reply.redirect('/docs/'));
      scope.get('/', { prefixTrailingSlash: 'slash' }, (_request, reply) => send(reply, 'text/html', page));
      scope.get('/start.js', (_request, reply) => send(reply, 'text/javascript', script));
      scope.get('/errors', (_request, reply) => send(reply, 'text/html', errorList()));
      for (const { file } of documents) {
        const readOnce = once(() => readText(file));
        scope.get(`/${file}`, async (_request, reply) => send(reply, 'application/yaml', await readOnce()));
      }
      await scope.register(staticFiles, {
        root: assets,
        prefix: '/assets/',
        index: false,
        decorateReply: false,
        cacheControl: false,
        allowedPath: (path) => servedAssets.includes(path.replace(/^\//, '')),
      });
    },
    { prefix: '/docs' },
  );
}

/** The document of the repository. An addition includes the components that it refers to. */
function readText(file: string): Promise<string> {
  const document = new URL(file, contracts);
  return file === 'mantago-partial.yaml'
    ? readAddition(new URL('mantago.yaml', contracts), document)
    : readFile(document, 'utf8');
}

function send(reply: FastifyReply, type: string, text: string): FastifyReply {
  return reply.type(`${type}; charset=utf-8`).send(text);
}

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Shoal: API documents</title>
<link rel="stylesheet" href="assets/swagger-ui.css">
<link rel="stylesheet" href="assets/index.css">
<link rel="icon" type="image/png" href="assets/favicon-32x32.png" sizes="32x32">
<link rel="icon" type="image/png" href="assets/favicon-16x16.png" sizes="16x16">
</head>
<body>
<noscript>${documents.map(({ file, name }) => `<p><a href="${file}">${name}</a></p>`).join('')}</noscript>
<div id="documents"></div>
<script src="assets/swagger-ui-bundle.js"></script>
<script src="assets/swagger-ui-standalone-preset.js"></script>
<script src="start.js"></script>
</body>
</html>
`;

const script = `SwaggerUIBundle({
  urls: ${JSON.stringify(documents.map(({ file, name }) => ({ url: file, name })))},
  dom_id: '#documents',
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: 'StandaloneLayout',
  validatorUrl: null,
  requestInterceptor(request) {
    const { pathname, search } = new URL(request.url, location.href);
    request.url = location.origin + pathname + search;
    return request;
  },
});
`;

/** The catalogue of errors as a page. The `type` of a problem links to it. */
function errorList(): string {
  const entries = Object.entries(catalogue).map(
    ([code, { status, cause, remedy }]) =>
      `<h2 id="${code}">${code}</h2>\n<p>HTTP status ${status}. ${toHtml(cause)}</p>\n<p>${toHtml(remedy)}</p>`,
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Shoal: errors</title></head>
<body>
<h1>Errors</h1>
${entries.join('\n')}
</body>
</html>
`;
}

function toHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
