/**
 * Request bodies over real HTTP: accepted types, charsets and encodings, rejections in the format of their API, and callers
 * that disconnect during an upload.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { ulid } from 'ulid';
import type { Config } from '../src/config.ts';
import { png } from './harness/images.ts';
import { addLiveChat, visit } from './harness/live-chat.ts';
import { oncePerFile } from './harness/scope.ts';
import { type TestServer, testServer } from './harness/server.ts';
import { lineBody, lineSecret, lineUser } from './harness/webhooks.ts';

type Target = { name: string; url: string; token: string; body: object; refusal: number; limit: number };

/** A call of each API with a JSON body. */
async function targets(server: TestServer): Promise<Target[]> {
  const { botId, apiToken, apiSecret } = await server.addBot();
  const { widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey);
  return [
    {
      name: 'mantago',
      url: `/openapi/clients/analysis?botId=${botId}`,
      token: apiToken,
      body: { secret: apiSecret, note: '王小明' },
      refusal: 404,
      limit: 1_048_576,
    },
    {
      name: 'management',
      url: '/api/v1/bots',
      token: await server.addToken(),
      body: { name: '王小明' },
      refusal: 400,
      limit: 65_536,
    },
    {
      name: 'live chat',
      url: `/live-chat/v1/${widgetKey}/session`,
      token: visitor.token,
      body: { name: '王小明' },
      refusal: 400,
      limit: 32_768,
    },
  ];
}

function send(
  { address }: TestServer,
  { url, token }: Pick<Target, 'url' | 'token'>,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${address}${url}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: Buffer.from(body),
  });
}

const sharedServer = oncePerFile(testServer);
const gzip = { 'content-encoding': 'gzip' };

test('a JSON body with a byte order mark or gzip compression is accepted', async () => {
  const server = await sharedServer();
  for (const target of await targets(server)) {
    const plain = Buffer.from(JSON.stringify(target.body));
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), plain]);
    const sent: [Uint8Array, Record<string, string>?][] = [
      [plain, { 'content-type': 'application/json; charset=UTF-8' }],
      [marked],
      [gzipSync(plain), gzip],
      [gzipSync(marked), { ...gzip, 'content-type': 'application/json; charset="utf-8"' }],
    ];
    for (const [bytes, headers] of sent) {
      const { status } = await send(server, target, bytes, headers);
      assert.ok(status === 200 || status === 201, `${target.name} ${JSON.stringify(headers)} ${status}`);
    }
  }
});

test('another charset, encoding or type returns 415, and a body that is too large returns 413, also after decompression', async () => {
  const server = await sharedServer();
  for (const target of await targets(server)) {
    const plain = Buffer.from(JSON.stringify(target.body));
    const bomb = gzipSync(Buffer.alloc(50 * 1_048_576, ' '));
    const sent: [number, Uint8Array, Record<string, string>?][] = [
      [415, plain, { 'content-type': 'application/json; charset=big5' }],
      [415, plain, { 'content-type': 'text/plain' }],
      [415, plain, { 'content-type': 'nonsense' }],
      [415, brotliCompressSync(plain), { 'content-encoding': 'br' }],
      [413, Buffer.alloc(target.limit + 1, ' ')],
      [413, bomb.subarray(0, bomb.length), gzip],
      [target.refusal, plain, gzip],
      [target.refusal, Buffer.from([0x7b, 0xff, 0x7d])],
    ];
    for (const [status, bytes, headers] of sent) {
      const answer = await send(server, target, bytes, headers);
      const what = `${target.name} ${status} ${JSON.stringify(headers)}`;
      const body = await answer.text();
      assert.equal(answer.status, status, `${what} ${body}`);
      const value = JSON.parse(body);
      if (target.name === 'mantago')
        assert.equal(value.errResponse.code, status === 404 ? 110000 : status, what);
      else assert.equal(value.status, status, what);
    }
  }
});

test('an imported file is accepted with gzip compression, and rejected in another charset or encoding', async () => {
  const server = await sharedServer();
  const { botId } = await server.addBot();
  const token = await server.addToken();
  const url = `/api/v1/bots/${botId}/imports/contacts`;
  const plain = Buffer.from(`platform,platform_contact_id\nline,${lineUser('A')}\n`);
  const post = (bytes: Uint8Array, headers: Record<string, string>) =>
    send(server, { url, token }, bytes, { 'content-type': 'text/csv', ...headers });
  assert.equal((await post(gzipSync(plain), gzip)).status, 200);
  const refused: [number, Uint8Array, Record<string, string>][] = [
    [415, plain, { 'content-type': 'text/csv; charset=big5' }],
    [415, brotliCompressSync(plain), { 'content-encoding': 'br' }],
    [413, gzipSync(Buffer.alloc(9 * 1_048_576, ' ')), gzip],
    [400, plain, gzip],
  ];
  for (const [status, bytes, headers] of refused)
    assert.equal((await post(bytes, headers)).status, status, JSON.stringify(headers));
});

test('a webhook is stored with any content type', async () => {
  const server = await sharedServer();
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: lineSecret });
  const types = ['text/plain', 'nonsense', 'multipart/form-data; boundary=x', 'application/json;;', '', null];
  for (const [index, type] of types.entries()) {
    const body = lineBody([{ type: 'message', id: ulid(), user: 'a', at: Date.now() + index }]);
    const signature = createHmac('sha256', lineSecret).update(body).digest('base64');
    const answer = await fetch(`${server.address}/webhooks/${botId}/line`, {
      method: 'POST',
      headers: { 'x-line-signature': signature, ...(type === null ? {} : { 'content-type': type }) },
      body: Buffer.from(body),
    });
    assert.equal(answer.status, 200, `${type}`);
  }
  await server.folded();
  const [row] = await server.sql<{ count: number }[]>`
    select count(*)::integer as count from deliveries where bot_id = ${botId}`;
  assert.equal(row?.count, types.length);
});

/** A server with a recorded log. */
async function loggingServer(
  t: TestContext,
  settings: Partial<Config> = {},
): Promise<{ server: TestServer; lines: () => string[] }> {
  let text = '';
  const logStream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const log = pino({ level: 'warn' }, logStream);
  return {
    server: await testServer(t, settings, { log }),
    lines: () => text.split('\n').filter((line) => line !== ''),
  };
}

const silenceMs = 300;

test('a caller that disconnects during an upload causes no log line', async (t) => {
  const { server, lines } = await loggingServer(t);
  const { hostname, port } = new URL(server.address);
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: lineSecret, accessToken: 'token-of-line' });
  const uploads: Pick<Target, 'url' | 'token'>[] = [
    ...(await targets(server)),
    { url: `/webhooks/${botId}/line`, token: 'x' },
    { url: '/v2/bot/message/push', token: 'token-of-line' },
  ];
  for (const { url, token } of uploads) {
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const head = ['Host: shoal', `Authorization: Bearer ${token}`, 'Content-Type: application/json'];
    socket.write(`POST ${url} HTTP/1.1\r\n${head.join('\r\n')}\r\nContent-Length: 1000\r\n\r\n{"secret":`);
    await pause(silenceMs);
    socket.resetAndDestroy();
  }
  await pause(silenceMs);
  assert.deepEqual(lines(), []);
});

test('a caller that disconnects during a large body that nothing reads does not end the server', async (t) => {
  const server = await testServer(t);
  const { hostname, port } = new URL(server.address);
  const head = ['GET /api/v1/bots HTTP/1.1', 'Host: shoal', 'Content-Length: 200000'];
  head.push(`Authorization: Bearer ${await server.addToken('read')}`);
  for (let call = 0; call < 20; call += 1) {
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(`${head.join('\r\n')}\r\n\r\n${'x'.repeat(20_000)}`, () => socket.resetAndDestroy());
    await once(socket, 'close');
  }
  assert.equal((await fetch(`${server.address}/healthz`)).status, 200);
});

test('a visitor receives an image in one response, and the log stays empty', async (t) => {
  const { server, lines } = await loggingServer(t, { chatImages: 'always' });
  const { widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey);
  const messageId = ulid();
  const image = { body: png, headers: { 'content-type': 'image/png' } };
  assert.equal((await visitor.call(`images?messageId=${messageId}`, image)).status, 201);
  const answer = await fetch(`${server.address}/live-chat/v1/${widgetKey}/images/${messageId}`, {
    headers: { authorization: `Bearer ${visitor.token}` },
  });
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), png);
  assert.equal(answer.headers.get('content-type'), 'image/png');
  await pause(silenceMs);
  assert.deepEqual(lines(), []);
});
