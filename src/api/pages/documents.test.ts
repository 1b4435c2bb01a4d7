/**
 * The API documents in a browser.
 */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import { parseYaml } from '../../../tests/harness/yaml.ts';
import { catalogue } from '../../errors.ts';
import { addSecurityHeaders } from '../../http/security-headers.ts';
import { registerDocuments } from './documents.ts';

async function serve(t: TestContext): Promise<(path: string) => Promise<Response>> {
  const app = Fastify({ forceCloseConnections: true });
  app.addHook('onRequest', async (request, reply) => void addSecurityHeaders(request, reply));
  t.after(() => app.close());
  await registerDocuments(app);
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  return (path) => fetch(new URL(path, address), { redirect: 'manual' });
}

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

test('the server has every file that the page and its script refer to', async (t) => {
  const get = await serve(t);
  const redirect = await get('/docs');
  assert.deepEqual([redirect.status, redirect.headers.get('location')], [302, '/docs/']);
  const page = await get('/docs/');
  const html = await page.text();
  const named = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path ?? '');
  const script = await (await get('/docs/start.js')).text();
  named.push(...[...script.matchAll(/"url":"([^"]+)"/g)].map(([, path]) => path ?? ''));
  const types: Record<string, RegExp> = {
    css: /^text\/css; charset=utf-8$/,
    js: /^(text|application)\/javascript; charset=utf-8$/,
    png: /^image\/png$/,
    yaml: /^application\/yaml; charset=utf-8$/,
  };
  assert.ok(named.length >= 10);
  for (const path of named) {
    const part = await get(`/docs/${path}`);
    assert.equal(part.status, 200, path);
    assert.match(
      part.headers.get('content-type') ?? '',
      types[path.split('.').at(-1) ?? ''] ?? /never/,
      path,
    );
    assert.ok((await part.arrayBuffer()).byteLength > 100, path);
  }
  for (const text of [html, script]) assert.doesNotMatch(text, /https?:|"\/\/| on\w+=|<script>|<style/);
});

test('the policy of the page and its files allows this server only', async (t) => {
  const get = await serve(t);
  for (const path of [
    '/docs/',
    '/docs/start.js',
    '/docs/errors',
    '/docs/mantago.yaml',
    '/docs/assets/index.css',
  ]) {
    const { headers } = await get(path);
    assert.equal(headers.get('content-security-policy'), policy, path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
  }
});

test('the style sheets load nothing from other hosts', async (t) => {
  const get = await serve(t);
  for (const path of ['swagger-ui.css', 'index.css']) {
    const css = await (await get(`/docs/assets/${path}`)).text();
    const fetched = [...css.matchAll(/url\(\s*["']?([^"')]{0,20})|@import/g)].map(([, url]) => url);
    assert.deepEqual(
      fetched.filter((url) => !url?.startsWith('data:')),
      [],
    );
  }
});

test('the three documents are served unchanged', async (t) => {
  const get = await serve(t);
  for (const name of ['management', 'mantago', 'line-insight']) {
    const file = await readFile(new URL(`../../../contracts/${name}.yaml`, import.meta.url), 'utf8');
    assert.equal(await (await get(`/docs/${name}.yaml`)).text(), file);
  }
});

test('the partly known operations are a document without outside references', async (t) => {
  const get = await serve(t);
  const document = parseYaml(await (await get('/docs/mantago-partial.yaml')).text());
  const operations: { operationId: string }[] = Object.values(document.paths).flatMap((item) =>
    Object.values(item as object),
  );
  assert.deepEqual(operations.map(({ operationId }) => operationId).sort(), [
    'createAutoTagMapping',
    'getClient',
    'getClientGifts',
    'getClientStatistics',
    'listClientTags',
    'listClients',
    'listPersonalTags',
    'updateAllAutoTagLifeCycles',
    'updateAutoTag',
  ]);
  for (const [, section = '', name = ''] of JSON.stringify(document).matchAll(/#\/components\/(\w+)\/(\w+)/g))
    assert.ok(document.components[section]?.[name], `${section} ${name}`);
});

test('no other file is served, of the package or above it', async (t) => {
  const get = await serve(t);
  for (const path of ['oauth2-redirect.html', 'index.html', '..%2fpackage.json', '%2e%2e/package.json', '']) {
    assert.equal((await get(`/docs/assets/${path}`)).status, 404, path);
  }
});

test('the list of errors explains each code at its own place', async (t) => {
  const get = await serve(t);
  const html = await (await get('/docs/errors')).text();
  for (const code of Object.keys(catalogue)) assert.ok(html.includes(`<h2 id="${code}">`), code);
  assert.ok(html.includes('`Authorization: Bearer &lt;token&gt;`'));
});
