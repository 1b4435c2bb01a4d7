/**
 * The gateway when LINE, the database or the caller fails: it calls LINE at most once, on LINE's host only, and never reports
 * a wrong outcome.
 */
import assert from 'node:assert/strict';
import { connect as connectSocket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import Fastify from 'fastify';
import { openKeys } from '../../src/auth/keys.ts';
import { createBot } from '../../src/bots/bots.ts';
import { enableChannel } from '../../src/bots/channels.ts';
import { createLineToken } from '../../src/bots/line-tokens.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import type { Sql } from '../../src/database/client.ts';
import { groupCommit } from '../../src/inbox/group-commit.ts';
import { type NewDelivery, putDeliveries } from '../../src/inbox/inbox.ts';
import { LineAccess } from '../../src/line/access.ts';
import { registerGateway } from '../../src/line/gateway/gateway.ts';
import { LineClient } from '../../src/line/line-client.ts';
import type { LineTimes } from '../../src/line/line-host.ts';
import { VerifiedTokens } from '../../src/line/verified-tokens.ts';
import { testDatabase } from '../harness/database.ts';
import { type FakeLine, fakeLine } from '../harness/fake-line.ts';
import { seededBytes } from '../harness/random.ts';

const token = 'channel-access-token';
const push = JSON.stringify({ to: `U${'0'.repeat(32)}`, messages: [{ type: 'text', text: 'hi' }] });

type Gateway = {
  sql: Sql;
  botId: string;
  address: string;
  line: FakeLine;
  logged: unknown[];
  /** Replaces the function that stores deliveries; null restores the usual one. */
  storeWith(store: ((deliveries: NewDelivery[]) => Promise<void>) | null): void;
  post(path: string, headers?: Record<string, string>, body?: string): Promise<Response>;
  records(): Promise<Record<string, unknown>[]>;
};

async function gateway(t: TestContext, times: Partial<LineTimes> = {}): Promise<Gateway> {
  const line = await fakeLine(t);
  const app = Fastify();
  const closers: (() => Promise<unknown>)[] = [];
  t.after(async () => {
    for (const close of closers) await close();
  });
  const { sql } = await testDatabase(t);
  const random = seededBytes(3);
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  const now = Date.now();
  const { botId } = await createBot(sql, { name: 'Shop', timeZone: 'Asia/Taipei' }, { now, random, keys });
  await setChannel(sql, { botId, platform: 'line', secret: 's', accessToken: token }, { now, random, keys });
  let store: ((deliveries: NewDelivery[]) => Promise<void>) | null = null;
  const inbox = groupCommit((deliveries) => (store ? store(deliveries) : putDeliveries(sql, deliveries)), {
    bytesMax: 1_000_000,
  });
  const logged: unknown[] = [];
  const log = { error: (...entries: unknown[]) => void logged.push(...entries), warn: () => undefined };
  const client = new LineClient(line.address);
  closers.push(() => client.close());
  const tokenOptions = { clock: Date.now, monotonic: Date.now, onCall: () => undefined };
  const { close } = await registerGateway(app, {
    access: new LineAccess(client, tokenOptions),
    verified: new VerifiedTokens(client, tokenOptions),
    ...{ sql, keys, inbox, random, log, times, recordMs: 600 },
    clock: Date.now,
    lineApi: line.address,
    passThrough: true,
    publicUrl: null,
    onStored: () => undefined,
    onSend: () => undefined,
  });
  closers.push(
    () => app.close(),
    close,
    () => inbox.drain(),
  );
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    ...{ sql, botId, address, line, logged },
    storeWith(next) {
      store = next;
    },
    post: (path, headers = {}, body = push) =>
      fetch(address + path, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      }),
    async records() {
      const rows = await sql<{ body: Uint8Array }[]>`select body from deliveries order by delivery_id`;
      return rows.map(({ body }) => JSON.parse(Buffer.from(body).toString()));
    },
  };
}

async function problemOf(response: Response): Promise<[number, string]> {
  assert.match(response.headers.get('x-line-request-id') ?? '', /^[\w-]{36}$/);
  return [response.status, JSON.parse(await response.text()).message];
}

const unknown =
  'LINE may have accepted the call. Repeat a send only with the same X-Line-Retry-Key, and a reply or phone-number push never.';

test('when LINE is unreachable the response is 502 and nothing is sent', async (t) => {
  const { line, post, records } = await gateway(t);
  await line.close();
  assert.deepEqual(await problemOf(await post('/v2/bot/message/push')), [
    502,
    'LINE cannot be reached. Nothing was sent.',
  ]);
  assert.deepEqual(await problemOf(await post('/v2/bot/chat/loading/start')), [
    502,
    'LINE cannot be reached. Nothing was sent.',
  ]);
  assert.deepEqual(await records(), []);
});

test('when LINE cuts the connection or sends an invalid response it is called once and the outcome is reported as unknown', async (t) => {
  const { line, post, records } = await gateway(t);
  const failures = [
    { answer: null },
    { answer: 'SSH-2.0-OpenSSH_9.9\r\n' },
    { answer: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 7\r\n\r\n{}' },
  ];
  for (const { answer } of failures) {
    line.answerWith((_received, response) => {
      if (typeof answer === 'string') response.socket?.write(answer);
      response.socket?.end();
    });
    const before = line.requests.length;
    assert.deepEqual(await problemOf(await post('/v2/bot/message/push')), [
      502,
      `LINE's answer could not be read. ${unknown}`,
    ]);
    assert.equal(line.requests.length, before + 1);
  }
  line.answerWith((_received, response) => void response.end('<html>Welcome to our hotel'));
  assert.deepEqual(await problemOf(await post('/v2/bot/message/push')), [
    502,
    `The answer is not LINE's: it has no X-Line-Request-Id. ${unknown}`,
  ]);
  assert.deepEqual(await records(), []);
});

test('when LINE is slow the response is 504 and LINE is called once', async (t) => {
  const { line, post, records } = await gateway(t, { allMs: 300 });
  line.answerWith(() => undefined);
  assert.deepEqual(await problemOf(await post('/v2/bot/message/push')), [
    504,
    `LINE did not answer in time. ${unknown}`,
  ]);
  assert.equal(line.requests.length, 1);
  assert.deepEqual(await records(), []);
});

test('LINE’s own failures and redirects are returned unchanged and not followed', async (t) => {
  const { line, address, records } = await gateway(t);
  for (const [status, headers] of [
    [500, {}],
    [429, { 'retry-after': '7' }],
    [307, { location: 'http://127.0.0.1:1/v2/bot/message/push' }],
  ] as const) {
    line.answerWith((_received, response) => {
      const lineHeaders = {
        'x-line-request-id': 'a'.repeat(36),
        'content-type': 'application/json',
        'set-cookie': 'a=b',
      };
      response.writeHead(status, { ...lineHeaders, 'strict-transport-security': 'max-age=1', ...headers });
      response.end(`{"message":"status ${status}"}`);
    });
    const response = await fetch(`${address}/v2/bot/message/push`, {
      ...{ method: 'POST', body: push, redirect: 'manual' },
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
    assert.equal(response.status, status);
    assert.equal(await response.text(), `{"message":"status ${status}"}`);
    assert.equal(response.headers.get('set-cookie'), null);
    assert.equal(response.headers.get('strict-transport-security'), null);
    for (const [name, value] of Object.entries(headers)) assert.equal(response.headers.get(name), value);
  }
  assert.deepEqual(await records(), []);
});

test('a call whose issued token LINE refuses is made again with a new one, unless its body is streamed', async (t) => {
  const { sql, botId, line, address, records } = await gateway(t);
  const making = { now: Date.now(), random: seededBytes(4) };
  const keys = await openKeys({
    ...making,
    secretKey: 'a secret key for tests, long enough',
    dataFolder: '',
  });
  await setChannel(sql, { botId, platform: 'line', channelId: '1657000000' }, { ...making, keys });
  const { token: callerToken } = await createLineToken(sql, botId, { scope: 'all' }, making);
  let issued = 0;
  let valid = 0;
  line.answerWith(({ url, headers }, response) => {
    response.setHeader('x-line-request-id', 'a'.repeat(36));
    if (url === '/oauth2/v3/token') {
      response.end(JSON.stringify({ access_token: `issued-${++issued}`, expires_in: 900 }));
      return;
    }
    response.statusCode = headers.authorization === `Bearer issued-${valid}` ? 200 : 401;
    response.end('{}');
  });
  const call = async (method: string, path: string) => {
    // The latest token is revoked, and the next one is valid.
    valid = issued === 0 ? 2 : issued + 1;
    const body = method === 'POST' ? push : null;
    const headers = { authorization: `Bearer ${callerToken}`, 'content-type': 'application/json' };
    const response = await fetch(address + path, { method, body, headers });
    await response.text();
    return response.status;
  };
  assert.equal(await call('POST', '/v2/bot/message/push'), 200);
  assert.equal(await call('GET', '/v2/bot/info'), 200);
  assert.equal(await call('GET', '/v2/bot/insight/richmenu/x/summary'), 200);
  assert.equal(await call('POST', '/v2/bot/chat/loading/start'), 401);
  assert.equal((await records()).length, 1);
  valid = issued + 1;
  const headers = { authorization: `Bearer ${callerToken}`, 'content-type': 'application/json' };
  const repeated = await fetch(`${address}/v2/bot/chat/loading/start`, {
    method: 'POST',
    body: push,
    headers,
  });
  assert.equal(repeated.status, 200);
});

test('a send that LINE accepted is recorded even when the response breaks off, and the caller receives its id', async (t) => {
  const { line, post, records } = await gateway(t);
  line.answerWith((_received, response) => {
    response.writeHead(200, { 'x-line-request-id': 'b'.repeat(36), 'content-length': 100 });
    response.write('{"sent');
    setTimeout(() => response.destroy(), 20);
  });
  const response = await post('/v2/bot/message/push');
  assert.equal(response.headers.get('x-line-accepted-request-id'), 'b'.repeat(36));
  assert.deepEqual(await problemOf(response), [
    502,
    'LINE accepted the request, but its answer broke off. Do not send it again.',
  ]);
  assert.deepEqual(
    (await records()).map(({ requestId, kind, recipients }) => [requestId, kind, recipients]),
    [['b'.repeat(36), 'push', 1]],
  );
});

test('no message text and no token is recorded', async (t) => {
  const { post, records } = await gateway(t);
  const body = JSON.stringify({
    replyToken: 'secret-reply-token',
    messages: [{ type: 'text', text: 'secret text' }],
  });
  assert.equal((await post('/v2/bot/message/reply', {}, body)).status, 200);
  const text = JSON.stringify(await records());
  for (const secret of ['secret-reply-token', 'secret text', token]) assert.ok(!text.includes(secret), text);
});

test('the caller waits while storing fails, and an unrecorded send is never reported as sent or as not sent', async (t) => {
  const { storeWith, post, records, line, logged } = await gateway(t);
  let failures = 2;
  storeWith(async () => {
    failures -= 1;
    if (failures === 0) storeWith(null);
    throw new Error('no space');
  });
  assert.equal((await post('/v2/bot/message/push')).status, 200);
  assert.equal((await records()).length, 1);
  storeWith(() => Promise.reject(new Error('no space')));
  const headers = { 'x-line-retry-key': '123e4567-e89b-42d3-a456-426614174000' };
  const response = await post('/v2/bot/message/push', headers);
  const accepted = response.headers.get('x-line-accepted-request-id');
  assert.deepEqual(await problemOf(response), [
    500,
    'LINE accepted the request, but it could not be recorded here. Repeat it only with the same X-Line-Retry-Key.',
  ]);
  assert.equal(line.requests.length, 2);
  assert.ok(JSON.stringify(logged).includes(accepted ?? 'none'));
  storeWith(null);
  assert.equal((await post('/v2/bot/message/push', headers)).status, 409);
  assert.equal((await records()).at(-1)?.requestId, accepted);
});

test('a send is recorded even when its caller disconnects', async (t) => {
  const { line, address, records } = await gateway(t);
  const arrived = Promise.withResolvers<void>();
  const callerLeft = Promise.withResolvers<void>();
  line.answerWith(async (_received, response) => {
    arrived.resolve();
    await callerLeft.promise;
    response.writeHead(200, { 'x-line-request-id': 'c'.repeat(36), 'content-type': 'application/json' });
    response.end('{}');
  });
  const leaving = new AbortController();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const sending = fetch(`${address}/v2/bot/message/push`, {
    ...{ method: 'POST', body: push, headers },
    signal: leaving.signal,
  });
  await arrived.promise;
  leaving.abort();
  await assert.rejects(sending);
  callerLeft.resolve();
  for (let looks = 0; (await records()).length === 0; looks++) {
    assert.ok(looks < 100, 'it was not recorded');
    await pause(20);
  }
});

test('nothing is sent without a token, for a disabled channel or while the database is unavailable', async (t) => {
  const { sql, botId, line, post, address } = await gateway(t);
  const noToken = await fetch(`${address}/v2/bot/message/push`, { method: 'POST', body: push });
  assert.deepEqual(await problemOf(noToken), [
    401,
    "Authorization header required. Must follow the scheme, 'Authorization: Bearer <ACCESS TOKEN>'",
  ]);
  assert.equal((await post('/v2/bot/message/push', { authorization: 'Bearer other' })).status, 401);
  assert.equal((await post('/v2/bot/info', { authorization: 'Bearer other' })).status, 401);
  await enableChannel(sql, { botId, platform: 'line', enabled: false, now: Date.now() });
  assert.deepEqual(await problemOf(await post('/v2/bot/message/push')), [403, 'The channel is disabled.']);
  await enableChannel(sql, { botId, platform: 'line', enabled: true, now: Date.now() });
  const lineToken = await createLineToken(
    sql,
    botId,
    { scope: 'all' },
    { now: Date.now(), random: seededBytes(9) },
  );
  await sql`update channels set access_token_sealed = null`;
  assert.deepEqual(
    await problemOf(await post('/v2/bot/info', { authorization: `Bearer ${lineToken.token}` })),
    [403, 'The channel has no access token of LINE.'],
  );
  await sql`alter table line_tokens rename to line_tokens_away`;
  const away = await post('/v2/bot/message/push');
  assert.equal(away.headers.get('retry-after'), '2');
  assert.deepEqual(await problemOf(away), [503, 'The database does not answer. Nothing was sent.']);
  assert.equal(line.requests.length, 0);
});

test('headers and body go to LINE unchanged, except headers of the connection, the host, the caller and Shoal', async (t) => {
  const { line, address } = await gateway(t);
  const body = '{ "to":"C1",\n "messages":[{"type":"text","text":"\\u4f60\\/好"}] }';
  const head = [
    'POST /v2/bot/message/push?trace=1 HTTP/1.1',
    'Host: shoal.example',
    `authorization: bearer ${token}`,
    'Content-Type: application/json; charset=UTF-8',
    'X-Line-Retry-Key: 123e4567-e89b-42d3-a456-426614174000',
    'X-Two: 1',
    'X-Two: 2',
    'X-Hop: gone',
    'X-Shoal-Track-Clicks: false',
    'Cookie: shoal_session=secret',
    'X-CSRF-Token: secret',
    'X-Forwarded-For: 192.0.2.1',
    'x-forwarded-proto: https',
    'X-Forwarded-Host: shoal.example',
    'X-Real-IP: 192.0.2.1',
    'X-Original-Forwarded-For: 192.0.2.1',
    'X-Cluster-Client-IP: 192.0.2.1',
    'Fastly-Client-IP: 192.0.2.1',
    'Forwarded: for=192.0.2.1',
    'Via: 1.1 proxy',
    'X-HTTP-Method-Override: PUT',
    'X-Original-URL: /v2/bot/channel/webhook/endpoint',
    'TE: trailers',
    'Connection: close, X-Hop',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  assert.match(await raw(address, `${head.join('\r\n')}\r\n\r\n${body}`), /^HTTP\/1\.1 200 OK/);
  const [received] = line.requests;
  assert.equal(String(received?.body), body);
  assert.equal(received?.url, '/v2/bot/message/push?trace=1');
  const names = received?.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  assert.deepEqual(names?.sort(), [
    ...[
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'x-line-retry-key',
      'x-two',
      'x-two',
    ],
  ]);
  assert.equal(received?.headers.host, new URL(line.address).host);
  assert.equal(received?.headers.authorization, `Bearer ${token}`);
  assert.equal(received?.headers['content-type'], 'application/json; charset=UTF-8');
});

test('no spelling of an address reaches another host or path, or sends without a record', async (t) => {
  const { line, address } = await gateway(t);
  const targets = [
    'http://127.0.0.1:1/v2/bot/info',
    '//127.0.0.1:1/v2/bot/info',
    '/v2/bot//127.0.0.1:1/info',
    '/v2/bot/../../admin',
    '/v2/bot/%2e%2e/%2e%2e/admin',
    '/v2/bot/..%2f..%2fadmin',
    '/v2/bot/info%0d%0aX-Other:%201',
    '/v2/bot/message/%70ush',
    '/v2/bot/message/push/',
    '/v2/bot/message/push;a=1',
    '/v2/bot/message/./push',
    '/v2/bot/message//push',
    '/v2/bot/message/PUSH',
    '/V2/bot/message/push',
  ];
  for (const target of targets) {
    const lines = ['Host: x', `Authorization: Bearer ${token}`, 'Content-Length: 2', 'Connection: close'];
    const answer = await raw(address, `POST ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n{}`);
    assert.match(answer, /^HTTP\/1\.1 (?:400|404) /, target);
  }
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const headers = { authorization: `Bearer ${token}`, 'x-http-method-override': 'POST' };
    assert.equal((await fetch(`${address}/v2/bot/message/push`, { method, headers })).status, 405);
  }
  assert.deepEqual(line.requests, []);
});

test('request and response bodies are limited in size', async (t) => {
  const { line, post } = await gateway(t);
  const large = JSON.stringify({ messages: 'x'.repeat(3 * 1024 * 1024) });
  assert.equal((await post('/v2/bot/message/push', {}, large)).status, 413);
  assert.equal((await post('/v2/bot/richmenu', {}, 'x'.repeat(17 * 1024 * 1024))).status, 413);
  assert.equal(line.requests.length, 0);
  line.answerWith((_received, response) => {
    response.writeHead(400, { 'x-line-request-id': 'd'.repeat(36) });
    response.end('x'.repeat(2 * 1024 * 1024));
  });
  assert.deepEqual(await problemOf(await post('/v2/bot/message/push')), [
    502,
    `LINE's answer broke off. ${unknown}`,
  ]);
});

/** Writes bytes to the gateway and returns all received bytes. */
function raw(address: string, request: string): Promise<string> {
  const { port } = new URL(address);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connectSocket(Number(port), '127.0.0.1', () => socket.write(request));
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer in time')));
    socket.on('data', (part) => parts.push(part));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(parts).toString()));
  });
}
