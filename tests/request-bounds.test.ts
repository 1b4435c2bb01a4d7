/**
 * Request bodies: callers are checked before their bodies are read, and the process bounds the bytes, connections and time
 * that bodies take.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fixture, lineSignature } from './harness/fixtures.ts';
import { type RawConnection, rawConnection, requestHead } from './harness/raw-connection.ts';
import { type TestServer, testServer } from './harness/server.ts';
import { until } from './harness/until.ts';

const secret = 'channel-secret-for-tests';
const json = 'application/json';
const largeBytes = 3 * 1024 * 1024;

async function addLineBot(server: TestServer): Promise<string> {
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret });
  return botId;
}

/** Sends the head of a request with a large body, and nothing of the body. */
async function sendHead(
  t: TestContext,
  server: TestServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<RawConnection> {
  const connection = await rawConnection(t, server.address);
  const size = { 'content-type': json, 'content-length': largeBytes };
  connection.write(requestHead('POST', path, { ...size, ...headers }));
  return connection;
}

test('callers without a channel or a credential are rejected before their body is read', async (t) => {
  const server = await testServer(t);
  const botId = await addLineBot(server);
  const wrongToken = { authorization: 'Bearer wrong' };
  const refusals: [string, Record<string, string>, number][] = [
    ['/webhooks/unknown/line', { 'x-line-signature': 'x' }, 404],
    [`/webhooks/${botId}/facebook`, { 'x-hub-signature-256': 'x' }, 404],
    [`/webhooks/${botId}/telegram`, {}, 404],
    [`/webhooks/${botId}/line`, {}, 401],
    ['/v2/bot/message/push', {}, 401],
    ['/v2/bot/message/push', wrongToken, 401],
    ['/v2/bot/chat/loading/start', wrongToken, 401],
    ['/openapi/client/get', wrongToken, 401],
    ['/api/v1/bots', wrongToken, 401],
    [`/api/v1/bots/${botId}/imports/contacts`, wrongToken, 401],
    ['/live-chat/v1/unknown/session', {}, 404],
  ];
  for (const [path, headers, status] of refusals) {
    const connection = await sendHead(t, server, path, headers);
    const answer = await connection.received(/\r\n\r\n/);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), `${path}: ${answer}`);
    connection.end();
  }
});

test('over the limit of body bytes a bot receives 503, other bots are served, and closed connections free their bytes', async (t) => {
  const server = await testServer(t, { bodyBytesMax: 16 * 1024 * 1024 });
  const [busy, other] = [await addLineBot(server), await addLineBot(server)];
  const body = fixture('line/message-text.json');
  const headers = { 'x-line-signature': 'x' };
  const connections: RawConnection[] = [];
  for (let index = 0; index < 6; index += 1) {
    const connection = await sendHead(t, server, `/webhooks/${busy}/line`, headers);
    connection.write(new Uint8Array(largeBytes - 1).fill(32));
    connections.push(connection);
  }
  const large = Buffer.alloc(largeBytes, 32);
  await until(async () => (await bodyBytes(server)) >= 2 * largeBytes - 2);
  assert.equal(await deliver(server, busy, large), 503);
  for (const connection of connections) connection.write(' ');
  const answers = await Promise.all(connections.map((connection) => connection.received(/\r\n\r\n/)));
  const refused = answers.filter((answer) => answer.startsWith('HTTP/1.1 503 '));
  assert.ok(refused.length >= 4, `${refused.length} of 6 were refused`);
  for (const answer of refused) assert.match(answer, /\r\nretry-after: \d+\r\n/i);
  assert.equal(await deliver(server, other, body), 200);
  assert.equal((await fetch(`${server.address}/healthz`)).status, 200);
  for (const connection of connections) connection.end();
  await until(async () => (await deliver(server, busy, large)) === 200);
});

test('a body without Content-Length is limited by its received bytes', async (t) => {
  const server = await testServer(t, { bodyBytesMax: 16 * 1024 * 1024 });
  const botId = await addLineBot(server);
  const chunk = `${(1024 * 1024).toString(16)}\r\n${' '.repeat(1024 * 1024)}\r\n`;
  const connections: RawConnection[] = [];
  for (let index = 0; index < 6; index += 1) {
    const connection = await rawConnection(t, server.address);
    connections.push(connection);
    const headers = { 'content-type': json, 'transfer-encoding': 'chunked', 'x-line-signature': 'x' };
    connection.write(requestHead('POST', `/webhooks/${botId}/line`, headers) + chunk + chunk);
  }
  await until(async () => (await bodyBytes(server)) >= 6 * 1024 * 1024);
  assert.equal(await deliver(server, botId, Buffer.alloc(largeBytes, 32)), 503);
  for (const connection of connections) connection.end();
});

test('slow headers and slow bodies time out', async (t) => {
  const server = await testServer(t, {}, { requestMsMax: 300 });
  const botId = await addLineBot(server);
  const silent = await rawConnection(t, server.address);
  const halfHead = await rawConnection(t, server.address);
  halfHead.write('POST /healthz HTTP/1.1\r\nhost: x\r\n');
  const halfBody = await sendHead(t, server, `/webhooks/${botId}/line`, { 'x-line-signature': 'x' });
  halfBody.write(' '.repeat(100_000));
  const afterRefusal = await sendHead(t, server, '/webhooks/unknown/line');
  for (const connection of [silent, halfHead, halfBody, afterRefusal]) await connection.closed;
});

test('connections over the limit are closed, and others continue', async (t) => {
  const server = await testServer(t, { connectionsMax: 2 });
  const first = await rawConnection(t, server.address);
  const second = await rawConnection(t, server.address);
  for (const connection of [first, second]) {
    connection.write(requestHead('GET', '/healthz'));
    await connection.received(/200 OK/);
  }
  const third = await rawConnection(t, server.address);
  assert.equal(await third.closed, '');
  first.write(requestHead('GET', '/healthz'));
  await first.received(/200 OK.*200 OK/s);
});

async function bodyBytes({ address }: TestServer): Promise<number> {
  const metrics = await (await fetch(`${address}/metrics`)).text();
  return Number(/^shoal_request_body_bytes (\d+)$/m.exec(metrics)?.[1]);
}

async function deliver(server: TestServer, botId: string, body: Buffer): Promise<number> {
  const answer = await fetch(`${server.address}/webhooks/${botId}/line`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'content-type': json, ...lineSignature(body, secret) },
  });
  return answer.status;
}
