/**
 * Headers of every response of the server: of APIs, pages, files and errors.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testServer } from './harness/server.ts';

/** Method, address, status. */
const calls: [method: string, address: string, status: number | null][] = [
  ['GET', '/', null],
  ['GET', '/sign-in', null],
  ['GET', '/icon.svg', null],
  ['GET', '/assets/unknown.js', 404],
  ['GET', '/unknown/address', null],
  ['GET', '/%', 400],
  ['GET', '/api/v1/%zz', 400],
  ['GET', '/healthz', 200],
  ['GET', '/readyz', 200],
  ['GET', '/metrics', 200],
  ['GET', '/docs', null],
  ['GET', '/docs/', 200],
  ['GET', '/docs/errors', 200],
  ['GET', '/docs/management.yaml', 200],
  ['GET', '/docs/assets/swagger-ui.css', 200],
  ['HEAD', '/docs/assets/swagger-ui.css', 200],
  ['GET', '/docs/assets/unknown.js', 404],
  ['GET', '/live-chat/widget.js', null],
  ['POST', '/live-chat/v1/unknown/session', null],
  ['OPTIONS', '/live-chat/v1/unknown/session', null],
  ['GET', '/api/v1/bots', 401],
  ['POST', '/api/v1/session', null],
  ['DELETE', '/api/v1/bots', 405],
  ['GET', '/api/v1/unknown', 404],
  ['POST', '/openapi/clients/statistics', 401],
  ['GET', '/api/openapi/unknown', null],
  ['GET', '/v2/bot/insight/followers', 401],
  ['GET', '/v2/bot/insight/unknown', 401],
  ['GET', '/v2/bot/info', 401],
  ['POST', '/v2/bot/message/push', 401],
  ['POST', '/webhooks/unknown/line', null],
  ['GET', '/webhooks/unknown/facebook', null],
  ['GET', '/r/unknown', 404],
];

test('every response forbids content sniffing, and over https every response enforces https', async (t) => {
  const { address } = await testServer(t, { trustedProxies: '127.0.0.1' });
  for (const proto of ['https', 'http', null]) {
    for (const [method, path, status] of calls) {
      const answer = await fetch(address + path, {
        method,
        redirect: 'manual',
        headers: { accept: 'text/html', ...(proto === null ? {} : { 'x-forwarded-proto': proto }) },
      });
      await answer.arrayBuffer();
      const what = `${method} ${path}: ${answer.status}`;
      if (status !== null) assert.equal(answer.status, status, what);
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', what);
      // For an invalid address the server ignores the proxy's headers.
      const isRead = !path.includes('%');
      const security = proto === 'https' && isRead ? 'max-age=31536000' : null;
      assert.equal(answer.headers.get('strict-transport-security'), security, what);
    }
  }
});

test('headers of an untrusted proxy do not enforce https', async (t) => {
  const { address } = await testServer(t, { trustedProxies: 'none' });
  const answer = await fetch(`${address}/healthz`, { headers: { 'x-forwarded-proto': 'https' } });
  assert.equal(answer.headers.get('strict-transport-security'), null);
});
