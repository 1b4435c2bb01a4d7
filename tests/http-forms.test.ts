/**
 * Requests without a route: each error has the format of the API of its path, and none is a server error.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { pino } from 'pino';
import { createLineToken } from '../src/bots/line-tokens.ts';
import { isObject } from '../src/json.ts';
import { lineSignature } from './harness/fixtures.ts';
import { rawConnection, requestHead } from './harness/raw-connection.ts';
import { exchange, type Raw } from './harness/raw-http.ts';
import { oncePerFile } from './harness/scope.ts';
import { type TestServer, testServer } from './harness/server.ts';

type Form = 'mantago' | 'problem' | 'line';

const sharedServer = oncePerFile(testServer);

function assertForm(form: Form, { headers, body }: Raw, what: string): void {
  const value: unknown = JSON.parse(body);
  assert.ok(isObject(value), what);
  const names = Object.keys(value).sort();
  if (form === 'mantago') {
    assert.deepEqual(names, ['errResponse', 'success'], what);
    assert.ok(isObject(value.errResponse) && typeof value.errResponse.code === 'number', what);
  }
  if (form === 'problem') assert.deepEqual(names, ['code', 'detail', 'status', 'title', 'type'], what);
  if (form === 'line') assert.deepEqual(names, ['message'], what);
  const type = form === 'problem' ? 'application/problem+json' : 'application/json';
  assert.equal(headers['content-type'], `${type}; charset=utf-8`, what);
}

const roots: [Form, string][] = [
  ['mantago', '/openapi'],
  ['mantago', '/api/openapi'],
  ['problem', '/api/v1'],
  ['problem', '/live-chat/v1'],
  ['line', '/v2/bot/insight'],
  ['line', '/oauth2/v2.1'],
];

test('an invalid or too long address and too large headers return the error format of the API of their path', async () => {
  const { address } = await sharedServer();
  const get = (path: string, more = '') =>
    exchange(address, `GET ${path} HTTP/1.1\r\nHost: shoal\r\n${more}\r\n`);
  for (const [form, root] of roots) {
    const broken = await get(`${root}/%zz`);
    assert.equal(broken.status, form === 'mantago' ? 404 : 400, root);
    assertForm(form, broken, `${root}: broken escape`);
    const large = await get(`${root}/x`, `X-Large: ${'x'.repeat(20_000)}\r\n`);
    assert.equal(large.status, 431, root);
    assertForm(form, large, `${root}: large headers`);
    const long = await get(`${root}/${'x'.repeat(20_000)}`);
    assert.equal(long.status, 414, root);
    assertForm(form, long, `${root}: long address`);
    const missing = await get(`${root}/nothing`);
    // Calls about tokens go to LINE, which does not exist here.
    assert.ok([404, 401, 502].includes(missing.status), `${root} ${missing.status}`);
    assertForm(form, missing, `${root}: missing`);
  }
  const parameter = 'x'.repeat(301);
  for (const [form, path] of [
    ['mantago', `/openapi/clientTag/get/${parameter}`],
    ['problem', `/api/v1/bots/${parameter}`],
    ['problem', `/live-chat/v1/${parameter}/messages`],
  ] as const) {
    const long = await get(path);
    assert.equal(long.status, 414, path);
    assertForm(form, long, path);
  }
  assertForm('line', await exchange(address, 'nonsense\r\n\r\n'), 'nonsense');
});

test('another spelling of an address belongs to the same API', async () => {
  const { address } = await sharedServer();
  for (const [path, form, status] of [
    ['//openapi/clients/analysis', 'mantago', 404],
    ['/openapi//clients/analysis', 'mantago', 404],
    ['/%6fpenapi-nothing', 'line', 404],
    ['//api//v1/bots', 'problem', 404],
    ['/oauth2/v2.1/token', 'line', 502],
    ['/v2/oauth/accessToken', 'line', 502],
    ['/nothing', 'line', 404],
  ] as const) {
    const answer = await exchange(
      address,
      `POST ${path} HTTP/1.1\r\nHost: shoal\r\nContent-Length: 0\r\n\r\n`,
    );
    assert.equal(answer.status, status, path);
    assertForm(form, answer, path);
  }
});

test('an upgrade of an address without a WebSocket returns 404 in every API', async () => {
  const { address } = await sharedServer();
  for (const [path, form] of [
    ['/api/v1/bots', 'problem'],
    ['/v2/bot/insight/followers', 'line'],
    ['/webhooks/abc/line', 'line'],
    ['/healthz', 'line'],
    ['/openapi/nothing', 'mantago'],
    ['/nothing', 'line'],
    ['/live-chat/v1/key/messages', 'problem'],
  ] as const) {
    const answer = await exchange(
      address,
      `GET ${path} HTTP/1.1\r\nHost: shoal\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    assert.equal(answer.status, 404, path);
    assertForm(form, answer, path);
  }
});

test('an Upgrade header that Connection does not name is ignored', async () => {
  const { address } = await sharedServer();
  for (const connection of ['', 'Connection: keep-alive\r\n']) {
    const answer = await exchange(
      address,
      `GET /healthz HTTP/1.1\r\nHost: shoal\r\n${connection}Upgrade: websocket\r\n\r\n`,
    );
    assert.equal(answer.status, 200, connection);
  }
});

test('a LINE call with an encoded letter in its path is rejected, both by Insight and by the gateway', async () => {
  const { server, calls } = await credentials();
  const token = calls[2]?.[2];
  for (const path of [
    '/v2/bot/insight/%66ollowers?date=20260301',
    '/v2/bot/insight/demo%67raphic',
    '/v2/bot/%69nfo',
  ]) {
    const request = `GET ${path} HTTP/1.1\r\nHost: shoal\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const answer = await exchange(server.address, request);
    assert.equal(answer.status, 400, path);
    assert.match(answer.body, /"The address must be a plain path/, path);
  }
});

test('a NUL in a path is not found or rejected where no contract checks it', async () => {
  const { address } = await sharedServer();
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  for (const [call, headers, status] of [
    ['POST /webhooks/%00/line', '', 404],
    ['GET /webhooks/a%00/whatsapp?hub.mode=subscribe&hub.challenge=1&hub.verify_token=x', '', 404],
    ['POST /webhooks/abc/%00', '', 404],
    ['GET /r/abcdefghijkl%00a', '', 404],
    ['POST /live-chat/v1/%00/session', '', 404],
    ['GET /api/v1/bots/%00/chats/socket', upgrade, 400],
  ] as const) {
    const answer = await exchange(
      address,
      `${call} HTTP/1.1\r\nHost: shoal\r\n${headers}Content-Length: 0\r\n\r\n`,
    );
    assert.equal(answer.status, status, call);
  }
});

test('the response to a webhook without a signature names the expected scheme', async () => {
  const server = await sharedServer();
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: 'secret' });
  const answer = await fetch(`${server.address}/webhooks/${botId}/line`, { method: 'POST', body: '{}' });
  assert.deepEqual([answer.status, answer.headers.get('www-authenticate')], [401, 'Signature realm="line"']);
});

/** The errors of each API without a token, and with two Authorization headers, the first one valid. */
async function credentials(): Promise<{ server: TestServer; calls: [Form, string, string][] }> {
  const server = await sharedServer();
  const { botId, apiToken } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: 'secret', accessToken: 'token-of-line' });
  const making = { now: Date.now(), random: randomBytes };
  const line = await createLineToken(server.sql, botId, {}, making);
  return {
    server,
    calls: [
      ['mantago', `POST /openapi/clients/analysis?botId=${botId}`, apiToken],
      ['problem', 'GET /api/v1/bots', await server.addToken('read')],
      ['line', 'GET /v2/bot/insight/demographic', line.token],
      ['line', 'GET /v2/bot/info', line.token],
    ],
  };
}

test('a 401 names its scheme, and two Authorization headers are rejected', async () => {
  const { server, calls } = await credentials();
  for (const [form, call, token] of calls) {
    const ask = (headers: string) =>
      exchange(server.address, `${call} HTTP/1.1\r\nHost: shoal\r\nContent-Length: 0\r\n${headers}\r\n`);
    const bearer = `Authorization: Bearer ${token}\r\n`;
    for (const headers of ['', bearer + bearer, `${bearer}Authorization: Bearer other\r\n`]) {
      const refused = await ask(headers);
      assert.equal(refused.status, 401, `${call} ${headers}`);
      assert.equal(refused.headers['www-authenticate'], 'Bearer realm="shoal"', call);
      assertForm(form, refused, call);
    }
    if (!call.includes('/bot/info')) assert.notEqual((await ask(bearer)).status, 401, call);
  }
});

test('an unknown expectation, and a request without exactly one Host, return the error format of the API of their path', async () => {
  const { address } = await sharedServer();
  for (const [form, root] of roots) {
    for (const [status, method, headers] of [
      [417, 'GET', 'Host: shoal\r\nExpect: bogus\r\n'],
      [417, 'POST', 'Host: shoal\r\nExpect: bogus\r\nContent-Length: 5\r\n'],
      [400, 'GET', ''],
      [400, 'POST', 'Content-Length: 0\r\n'],
      [400, 'GET', 'Host: shoal\r\nHost: other\r\n'],
    ] as const) {
      const answer = await exchange(address, `${method} ${root}/nothing HTTP/1.1\r\n${headers}\r\n`);
      const expected = form === 'mantago' && status === 400 ? 404 : status;
      assert.equal(answer.status, expected, `${method} ${root} ${headers}`);
      assertForm(form, answer, `${method} ${root} ${headers}`);
    }
  }
  assert.equal((await exchange(address, 'GET /healthz HTTP/1.0\r\n\r\n')).status, 200);
});

test('a WebSocket with a wrong version or key is rejected in the error format of its API', async () => {
  const server = await sharedServer();
  const { botId } = await server.addBot();
  for (const [version, key] of [
    ['12', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ['13', 'short'],
  ]) {
    const headers = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: ${version}\r\nSec-WebSocket-Key: ${key}\r\n`;
    const path = `/api/v1/bots/${botId}/chats/socket`;
    const answer = await exchange(server.address, `GET ${path} HTTP/1.1\r\nHost: shoal\r\n${headers}\r\n`);
    assert.equal(answer.status, 400, version);
    assertForm('problem', answer, `version ${version}, key ${key}`);
    assert.equal(answer.headers['sec-websocket-version'], '13');
  }
});

test('a request rejected before its body arrives gets one response, with or without the rest of the body', async (t) => {
  const { address } = await testServer(t, {}, { requestMsMax: 300 });
  for (const [root, status, headers] of [
    ['/webhooks/unknown/line', 404, {}],
    ['/openapi/client/get', 401, { authorization: 'Bearer wrong' }],
    ['/api/v1/bots', 401, { authorization: 'Bearer wrong' }],
    ['/v2/bot/message/push', 401, { authorization: 'Bearer wrong' }],
    ['/nothing', 417, { expect: 'bogus' }],
  ] as const) {
    for (const [size, rest] of [
      [{ 'content-length': 1_000 }, ''],
      [{ 'transfer-encoding': 'chunked' }, 'no chunk\r\n'],
    ] as const) {
      const connection = await rawConnection(t, address);
      connection.write(
        requestHead('POST', root, { 'content-type': 'application/json', ...size, ...headers }),
      );
      await connection.received(new RegExp(`^HTTP/1.1 ${status} `));
      connection.write(rest);
      const received = await connection.closed;
      assert.equal(received.split('HTTP/1.1 ').length - 1, 1, received);
    }
  }
});

test('invalid HTTP is rejected after the responses to earlier requests', async (t) => {
  const { address } = await sharedServer();
  const connection = await rawConnection(t, address);
  connection.write(`${requestHead('GET', '/readyz').repeat(2)}nonsense\r\n\r\n`);
  const received = await connection.closed;
  const statuses = [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  assert.deepEqual(statuses, ['200', '200', '400'], received);
});

test('an upgrade to a protocol other than WebSocket is ignored, and CONNECT gets a response', async () => {
  const server = await sharedServer();
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: 'secret' });
  const body = '{"destination":"x","events":[]}';
  const webhook = requestHead('POST', `/webhooks/${botId}/line`, {
    connection: 'Upgrade, HTTP2-Settings',
    upgrade: 'h2c',
    'http2-settings': 'AAMAAABkAAQAAP__',
    'content-length': body.length,
    ...lineSignature(body, 'secret'),
  });
  assert.equal((await exchange(server.address, webhook + body)).status, 200);
  const tunnel = await exchange(server.address, 'CONNECT shoal:443 HTTP/1.1\r\nHost: shoal:443\r\n\r\n');
  assert.equal(tunnel.status, 405);
  assertForm('line', tunnel, 'CONNECT');
});

test('a request that succeeds writes no line to the log', async (t) => {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  const { address } = await testServer(t, {}, { log });
  assert.match(lines.join(''), /Listening on http/);
  const before = lines.length;
  for (const path of ['/healthz', '/readyz', '/docs/errors']) {
    const answer = await fetch(address + path);
    await answer.arrayBuffer();
    assert.equal(answer.status, 200, path);
  }
  assert.deepEqual(lines.slice(before), []);
});
