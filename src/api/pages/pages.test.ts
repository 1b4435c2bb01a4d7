import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import Fastify from 'fastify';
import { build } from 'vite';
import { precompress } from '../../../build/precompress.ts';
import { addSecurityHeaders } from '../../http/security-headers.ts';
import { registerPages } from './pages.ts';

const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

/** A server with the pages of that folder, and an API with its own answer for unknown paths. */
async function pagesServer(t: TestContext, folder: string) {
  const app = Fastify();
  app.addHook('onRequest', async (request, reply) => void addSecurityHeaders(request, reply));
  t.after(() => app.close());
  app.get('/healthz', async () => ({ status: 'ok' }));
  await app.register(
    async (scope) => {
      scope.get('/bots', async () => ['bot']);
      scope.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: 'OPERATION_NOT_FOUND' }));
    },
    { prefix: '/api/v1' },
  );
  await registerPages(app, { folder });
  return app;
}

async function emptyFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-pages-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** A page with a script, built as the dashboard is. */
async function builtPages(t: TestContext): Promise<string> {
  const folder = await emptyFolder(t);
  await writeFile(join(folder, 'secret.txt'), 'a private file');
  await mkdir(join(folder, 'page', 'public'), { recursive: true });
  const script = '<script type="module" src="./main.js"></script>';
  await writeFile(join(folder, 'page', 'index.html'), `<!doctype html><title>Shoal</title>${script}`);
  await writeFile(join(folder, 'page', 'main.js'), `document.title = '${'long '.repeat(1_000)}';`);
  await writeFile(join(folder, 'page', 'public', 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  await build({
    root: join(folder, 'page'),
    configFile: false,
    logLevel: 'silent',
    build: { outDir: join(folder, 'out'), emptyOutDir: true },
    plugins: [precompress()],
  });
  return join(folder, 'out');
}

test('every address of a page answers the page, under a policy that allows no other host', async (t) => {
  const app = await pagesServer(t, await builtPages(t));
  for (const url of ['/', '/sign-in', '/bots/abc/overview?days=28', '/nothing/of/ours', '/index.html']) {
    for (const method of ['GET', 'HEAD'] as const) {
      const { statusCode, headers, body } = await app.inject({
        method,
        url,
        headers: { ...html, host: 'shoal.example:8080' },
      });
      assert.equal(statusCode, 200, url);
      assert.match(String(headers['content-type']), /^text\/html; charset=utf-8$/i);
      if (method === 'GET') assert.match(body, /<title>Shoal/);
      assert.equal(headers['cache-control'], 'no-cache');
      assert.equal(
        headers['content-security-policy'],
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws://shoal.example:8080 wss://shoal.example:8080; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'same-origin');
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    }
  }
  const odd = await app.inject({ url: '/', headers: { ...html, host: 'a; script-src *' } });
  assert.doesNotMatch(String(odd.headers['content-security-policy']), /script-src \*/);
});

test('built files are compressed, and those with a hash in their names are cached for ever', async (t) => {
  const app = await pagesServer(t, await builtPages(t));
  const { body } = await app.inject({ url: '/', headers: html });
  const asset = /src="(\/assets\/[^"]+\.js)"/.exec(body)?.[1] ?? '';
  const plain = await app.inject({ url: asset });
  assert.equal(plain.statusCode, 200);
  assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.match(String(plain.headers['content-type']), /javascript/);
  assert.match(String(plain.headers.vary), /accept-encoding/i);
  const zipped = await app.inject({ url: asset, headers: { 'accept-encoding': 'gzip' } });
  assert.equal(zipped.headers['content-encoding'], 'gzip');
  assert.deepEqual(gunzipSync(zipped.rawPayload), plain.rawPayload);
  const brotli = await app.inject({ url: asset, headers: { 'accept-encoding': 'gzip, deflate, br' } });
  assert.equal(brotli.headers['content-encoding'], 'br');
  assert.ok(brotli.rawPayload.length < plain.rawPayload.length / 10);

  const icon = await app.inject({ url: '/icon.svg' });
  assert.deepEqual([icon.statusCode, icon.headers['cache-control']], [200, 'no-cache']);
  assert.match(String(icon.headers['content-type']), /^image\/svg\+xml/);
  const held = { 'if-none-match': String(icon.headers.etag) };
  assert.equal((await app.inject({ url: '/icon.svg', headers: held })).statusCode, 304);
});

test('other addresses get the same answers as without pages', async (t) => {
  const app = await pagesServer(t, await builtPages(t));
  const get = (url: string, headers = {}) => app.inject({ url, headers });
  assert.deepEqual((await get('/healthz', html)).json(), { status: 'ok' });
  assert.deepEqual((await get('/api/v1/bots', html)).json(), ['bot']);
  assert.deepEqual((await get('/api/v1/nothing', html)).json(), { code: 'OPERATION_NOT_FOUND' });
  for (const url of [
    '/v2/nothing',
    '/webhooks',
    '/r/none',
    '/assets/none-1234.js',
    '/live-chat',
    '/metrics',
  ]) {
    const { statusCode, headers } = await get(url, html);
    assert.deepEqual([statusCode, /json/.test(String(headers['content-type']))], [404, true], url);
    assert.ok([undefined, 'no-store'].includes(headers['cache-control']), url);
  }
  const bare = await get('/', { accept: 'application/json' });
  assert.deepEqual([bare.statusCode, bare.json()], [404, { message: 'Not found' }]);
  assert.equal((await app.inject({ method: 'POST', url: '/sign-in', headers: html })).statusCode, 404);
});

test('no address leads out of the folder', async (t) => {
  const app = await pagesServer(t, await builtPages(t));
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  // Not fetch: it would tidy the path up.
  const get = (path: string) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      request({ host: '127.0.0.1', port: new URL(address).port, path }, async (response) => {
        let text = '';
        for await (const piece of response) text += piece;
        resolve({ status: response.statusCode ?? 0, text });
      })
        .on('error', reject)
        .end();
    });
  for (const path of [
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/assets/%2e%2e/%2e%2e/secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/assets/....//....//secret.txt',
    '/assets//etc/passwd',
    '/assets/%00',
    '/..%2fsecret.txt',
    '/%2e%2e%2fsecret.txt',
  ]) {
    const { status, text } = await get(path);
    assert.ok([400, 403, 404].includes(status), `${path} ${status}`);
    assert.doesNotMatch(text, /a private file|root:/, path);
  }
});

test('before the build the addresses of pages name the missing step, and after it they work without a restart', async (t) => {
  const folder = await emptyFolder(t);
  const app = await pagesServer(t, join(folder, 'dashboard'));
  const missing = await app.inject({ url: '/sign-in', headers: html });
  assert.deepEqual([missing.statusCode, missing.headers['content-type']], [503, 'text/plain; charset=utf-8']);
  assert.match(missing.body, /npm run build/);
  assert.equal((await app.inject({ url: '/icon.svg' })).statusCode, 404);
  await mkdir(join(folder, 'dashboard', 'assets'), { recursive: true });
  await writeFile(join(folder, 'dashboard', 'index.html'), '<title>Built</title>');
  await writeFile(join(folder, 'dashboard', 'assets', 'a-1.js'), '1');
  assert.match((await app.inject({ url: '/sign-in', headers: html })).body, /Built/);
  assert.equal((await app.inject({ url: '/assets/a-1.js' })).body, '1');
});
