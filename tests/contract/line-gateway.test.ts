/**
 * LINE's official client, unmodified, sends through the gateway: LINE receives the client's request, the client receives
 * LINE's response, and the figures include the send.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { HTTPFetchError, messagingApi } from '@line/bot-sdk';
import { createLineToken } from '../../src/bots/line-tokens.ts';
import { readDeliveredDays } from '../../src/line/delivery-list.ts';
import { importSnapshots } from '../../src/line/snapshots.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { readFigures } from '../../src/reports/totals.ts';
import { dayOf, lineZone } from '../../src/time.ts';
import { type FakeLine, fakeLine } from '../harness/fake-line.ts';
import { seededBytes } from '../harness/random.ts';
import { type TestServer, testServer } from '../harness/server.ts';
import { lineSecret, lineUser } from '../harness/webhooks.ts';

const channelAccessToken = 'the-token-that-LINE-gave-out';
const messages = [{ type: 'text' as const, text: 'Hello, 你好' }];

type Connected = { server: TestServer; line: FakeLine; botId: string };

async function connected(...[t]: Parameters<typeof testServer>): Promise<Connected> {
  const line = await fakeLine(t);
  const server = await testServer(t, { lineApi: line.address });
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: lineSecret, accessToken: channelAccessToken });
  return { server, line, botId };
}

function clientOf({ server }: Connected, token = channelAccessToken): messagingApi.MessagingApiClient {
  return new messagingApi.MessagingApiClient({ channelAccessToken: token, baseURL: server.address });
}

test('the five kinds of sends of LINE’s own client reach LINE unchanged and are recorded', async (t) => {
  const all = await connected(t);
  const { server, line, botId } = all;
  const client = clientOf(all);
  const retryKey = '123e4567-e89b-42d3-a456-426614174000';
  const pushed = await client.pushMessageWithHttpInfo(
    { to: lineUser('A'), messages, notificationDisabled: true, customAggregationUnits: ['spring'] },
    retryKey,
  );
  assert.deepEqual(pushed.body, { sentMessages: [{ id: '1', quoteToken: 'q' }] });
  assert.equal(pushed.httpResponse.headers.get('x-line-request-id'), '00000000-0000-4000-8000-000000000001');
  assert.deepEqual(await client.multicast({ to: [lineUser('A'), lineUser('B')], messages }), {});
  assert.deepEqual(await client.broadcast({ messages }), {});
  assert.equal((await client.narrowcastWithHttpInfo({ messages })).httpResponse.status, 202);
  await client.replyMessage({ replyToken: 'a-reply-token', messages });
  const [push] = line.requests;
  assert.deepEqual(JSON.parse(String(push?.body)), {
    to: lineUser('A'),
    messages,
    notificationDisabled: true,
    customAggregationUnits: ['spring'],
  });
  assert.equal(push?.headers['x-line-retry-key'], retryKey);
  assert.equal(push?.headers.authorization, `Bearer ${channelAccessToken}`);
  await server.folded();
  const sends = await server.sql`
    select request_id, kind, unit, recipients from line_sends where bot_id = ${botId} order by request_id`;
  assert.deepEqual(
    sends.map(({ kind, unit, recipients }) => [kind, unit, recipients]),
    [
      ['push', 'spring', 1],
      ['multicast', null, 2],
      ['broadcast', null, null],
      ['narrowcast', null, null],
      ['reply', null, 1],
    ],
  );
  const figures = await readFigures(server.sql, botId, Date.now());
  assert.deepEqual(figures?.lineSends, { reply: 1, push: 1, broadcast: 0 });
  assert.equal(figures?.platforms.line.messages, 4);
  assert.deepEqual(await recount(server.sql, botId, { check: true, progress: () => undefined }), []);
});

test('pushes to telephone numbers are recorded as a kind of their own, without the number and in no conversation', async (t) => {
  const { server, line, botId } = await connected(t);
  const { number, push, template } = phonePushes(server);
  const templated = await template({ customAggregationUnits: ['parcels'] });
  assert.deepEqual([templated.status, await templated.json()], [202, {}]);
  assert.equal((await push()).status, 200);
  const [, free] = line.requests;
  assert.deepEqual(JSON.parse(String(free?.body)), { to: number, messages });
  assert.equal(free?.headers['x-line-delivery-tag'], 'a-tag-of-16-and-more');
  line.answerWith((_received, response) => {
    response.writeHead(422, { 'content-type': 'application/json', 'x-line-request-id': 'refused' });
    response.end('{"message":"Failed to send messages"}');
  });
  assert.equal((await push()).status, 422);
  assert.equal((await push({ 'x-shoal-track-clicks': 'true' })).status, 400, 'LINE reviews these messages');
  assert.equal(line.requests.length, 3);
  await server.folded();
  const sends = await server.sql`
    select kind, unit, recipients, link_set from line_sends where bot_id = ${botId} order by request_id`;
  assert.deepEqual(
    sends.map((row) => Object.values(row)),
    [
      ['pnp', 'parcels', 1, null],
      ['pnp', null, 1, null],
    ],
  );
  const bodies = await server.sql<
    { body: Uint8Array }[]
  >`select body from deliveries where bot_id = ${botId}`;
  for (const { body } of bodies) assert.ok(!Buffer.from(body).toString().includes(number));
  const figures = await readFigures(server.sql, botId, Date.now());
  const { messages: count, conversations } = figures?.platforms.line ?? {};
  assert.deepEqual([count, conversations], [2, 0]);
  assert.deepEqual(figures?.lineSends, { reply: 0, push: 0, broadcast: 0 });
  const [day] = await readDeliveredDays(server.sql, botId, lineToday());
  assert.deepEqual([day?.messages, day?.kinds], [2, [{ kind: 'pnpNoticeMessage', messages: 2 }]]);
  assert.deepEqual(await recount(server.sql, botId, { check: true, progress: () => undefined }), []);
});

test('a push to a telephone number without a readable answer is not sent twice and never named as repeatable', async (t) => {
  const { server, line, botId } = await connected(t);
  const { push } = phonePushes(server);
  line.answerWith((_received, response) => void response.socket?.destroy());
  const lost = await push({ 'x-line-retry-key': '123e4567-e89b-42d3-a456-426614174000' });
  const { message } = (await lost.json()) as { message: string };
  assert.equal(lost.status, 502);
  assert.match(message, /a reply or phone-number push never/);
  assert.equal(line.requests.length, 1);
  line.answerWith((_received, response) => {
    response.writeHead(200, { 'x-line-request-id': 'accepted', 'content-length': '10' });
    response.write('{');
    setImmediate(() => response.socket?.destroy());
  });
  const broken = await push();
  assert.equal(broken.status, 502);
  assert.equal(broken.headers.get('x-line-accepted-request-id'), 'accepted');
  await server.folded();
  const sends = await server.sql`select kind, request_id from line_sends where bot_id = ${botId}`;
  assert.deepEqual(
    sends.map(({ request_id }) => request_id),
    ['accepted'],
  );
});

/** Calls for LINE notification messages, which LINE's own client has for one address only. */
function phonePushes(server: TestServer) {
  const number = createHash('sha256').update('+886912345678').digest('hex');
  const post = (path: string, body: object, headers: Record<string, string>) =>
    fetch(server.address + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${channelAccessToken}`,
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify({ to: number, ...body }),
    });
  return {
    number,
    push: (headers: Record<string, string> = {}) =>
      post('/bot/pnp/push', { messages }, { 'x-line-delivery-tag': 'a-tag-of-16-and-more', ...headers }),
    template: (body: object) =>
      post('/v2/bot/message/pnp/templated/push', { templateKey: 'shipment_completed_ja', ...body }, {}),
  };
}

function lineToday() {
  const day = dayOf(Date.now(), lineZone);
  return { from: day, to: day };
}

test('a send repeated with its retry key counts once, and LINE’s 409 is returned unchanged', async (t) => {
  const all = await connected(t);
  const { server, botId } = all;
  const client = clientOf(all);
  const retryKey = '123e4567-e89b-42d3-a456-426614174000';
  const push = () => client.pushMessage({ to: lineUser('A'), messages }, retryKey);
  await push();
  const repeated = await push().then(
    () => assert.fail('the repeated send was accepted'),
    (error: unknown) => error,
  );
  assert.ok(repeated instanceof HTTPFetchError);
  assert.equal(repeated.status, 409);
  assert.equal(repeated.body, '{"message":"The retry key is already accepted"}');
  assert.equal(repeated.headers.get('x-line-accepted-request-id'), '00000000-0000-4000-8000-000000000001');
  assert.equal(repeated.headers.get('x-line-request-id'), '00000000-0000-4000-8000-000000000002');
  await server.folded();
  const figures = await readFigures(server.sql, botId, Date.now());
  assert.equal(figures?.platforms.line.messages, 1);
});

test('a token issued by Shoal allows the calls, and LINE receives the channel’s own token', async (t) => {
  const all = await connected(t);
  const { server, line, botId } = all;
  const { token } = await createLineToken(
    server.sql,
    botId,
    { scope: 'send' },
    { now: Date.now(), random: seededBytes(7) },
  );
  const { httpResponse } = await clientOf(all, token).broadcastWithHttpInfo({ messages });
  assert.equal(line.requests[0]?.headers.authorization, `Bearer ${channelAccessToken}`);
  assert.ok(![...httpResponse.headers].flat().join().includes(channelAccessToken));
  const client = clientOf(all, 'unknown-token');
  const rejection = await client.broadcast({ messages }).catch((error: unknown) => error);
  assert.ok(rejection instanceof HTTPFetchError);
  assert.equal(rejection.status, 401);
  assert.deepEqual(JSON.parse(rejection.body), {
    message: 'Authentication failed. Confirm that the access token in the authorization header is valid.',
  });
  assert.equal(line.requests.length, 1);
});

test('LINE’s rejection is returned unchanged and not recorded', async (t) => {
  const all = await connected(t);
  all.line.answerWith((_received, response) => {
    response.writeHead(400, { 'content-type': 'application/json', 'x-line-request-id': 'id-of-line' });
    response.end('{"message":"The request body has 1 error(s)","details":[{"property":"to"}]}');
  });
  const rejection = await clientOf(all)
    .pushMessage({ to: 'unknown', messages })
    .catch((error: unknown) => error);
  assert.ok(rejection instanceof HTTPFetchError);
  assert.deepEqual(
    [rejection.status, rejection.body, rejection.headers.get('x-line-request-id')],
    [400, '{"message":"The request body has 1 error(s)","details":[{"property":"to"}]}', 'id-of-line'],
  );
  assert.equal((await all.server.sql`select from deliveries`).length, 0);
});

test('other calls pass through without a record, and Shoal serves Insight itself', async (t) => {
  const all = await connected(t);
  const profile = await clientOf(all).getProfile(lineUser('A'));
  assert.deepEqual(profile, { method: 'GET', url: `/v2/bot/profile/${lineUser('A')}` });
  const { server, line } = all;
  const headers = { authorization: `Bearer ${channelAccessToken}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ endpoint: 'https://bot.example/你好' });
  const put = await fetch(`${server.address}/v2/bot/channel/webhook/endpoint?a=%2Fb`, {
    method: 'PUT',
    headers,
    body,
  });
  assert.deepEqual(await put.json(), { method: 'PUT', url: '/v2/bot/channel/webhook/endpoint?a=%2Fb' });
  assert.equal(String(line.requests[1]?.body), body);
  const insight = await fetch(`${server.address}/v2/bot/insight/followers`, { headers });
  assert.deepEqual([insight.status, await insight.json()], [400, { message: 'date is required' }]);
  for (const path of ['/v2/bot/insight', '/v2/bot/Insight/richmenu/x/summary']) {
    const unknown = await fetch(server.address + path, { headers });
    assert.deepEqual([unknown.status, await unknown.json()], [404, { message: 'Not found' }]);
  }
  assert.equal(line.requests.length, 2);
  assert.equal((await server.sql`select from deliveries`).length, 0);
});

test('Insight calls that Shoal does not hold go to LINE once, and an error is not cached', async (t) => {
  const { server, line } = await connected(t);
  const headers = { authorization: `Bearer ${channelAccessToken}` };
  const path = '/v2/bot/insight/richmenu/x/summary?from=20260301&to=20260307';
  const read = async (url = path) => {
    const answer = await fetch(server.address + url, { headers });
    return { status: answer.status, body: await answer.json() };
  };
  line.answerWith((_request, response) => void response.writeHead(429).end('{"message":"too many"}'));
  assert.equal((await read()).status, 429);
  line.answerWith(null);
  const answers = [...(await Promise.all([read(), read(), read()])), await read()];
  for (const answer of answers) assert.deepEqual(answer, { status: 200, body: { method: 'GET', url: path } });
  assert.equal(line.requests.length, 2);
  await read(path.replace('summary', 'daily'));
  assert.equal(line.requests.length, 3);
  const post = await fetch(server.address + path, { method: 'POST', headers });
  assert.equal(post.status, 405);
});

test('LINE’s stored figures of a rich menu are served for exactly their days, even with pass-through off', async (t) => {
  const line = await fakeLine(t);
  const server = await testServer(t, { lineApi: line.address, linePassThrough: 'off' });
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: lineSecret, accessToken: channelAccessToken });
  const value = { richMenuId: 'richmenu-1', metricsFrom: '20260301', metricsTo: '20260307', clicks: [] };
  const days = { richMenuId: 'richmenu-1', from: '2026-03-01', to: '2026-03-07' };
  const entries = [{ kind: 'rich-menu-daily', ...days, value }];
  await importSnapshots(server.sql, { botId, entries }, { now: Date.now() });
  const read = async (path: string) => {
    const headers = { authorization: `Bearer ${channelAccessToken}` };
    const answer = await fetch(`${server.address}/v2/bot/insight/richmenu/${path}`, { headers });
    return { status: answer.status, body: await answer.json() };
  };
  assert.deepEqual(await read('richmenu-1/daily?from=20260301&to=20260307'), { status: 200, body: value });
  const others = [
    'daily?from=20260301&to=20260306',
    'summary?from=20260301&to=20260307',
    'daily?from=20260301',
  ];
  for (const other of others) assert.equal((await read(`richmenu-1/${other}`)).status, 404, other);
  assert.equal(line.requests.length, 0);
});

test('calls about tokens need no token here and are limited, and other LINE roots pass through with one', async (t) => {
  const { server, line } = await connected(t);
  const body = 'grant_type=client_credentials&client_id=1&client_secret=hush';
  const form = { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Bearer other' };
  for (const path of ['/oauth2/v3/token', '/v2/oauth/accessToken', '/oauth2/v2.1/token']) {
    const answer = await fetch(server.address + path, { method: 'POST', headers: form, body });
    assert.deepEqual(await answer.json(), { method: 'POST', url: path });
    const received = line.requests.at(-1);
    assert.deepEqual([String(received?.body), received?.headers.authorization], [body, undefined]);
  }
  const paths = ['/bot/pnp/other', '/liff/v1/apps', '/shop/v3/mission', '/v2/bot/message/1/content'];
  for (const path of paths) {
    const headers = { authorization: `Bearer ${channelAccessToken}` };
    assert.deepEqual(await (await fetch(server.address + path, { headers })).json(), {
      method: 'GET',
      url: path,
    });
    const count = line.requests.length;
    assert.equal((await fetch(server.address + path)).status, 401);
    assert.equal(line.requests.length, count);
  }
  const large = await fetch(`${server.address}/oauth2/v3/token`, {
    method: 'POST',
    headers: form,
    body: body.padEnd(65_537),
  });
  assert.equal(large.status, 413);
  const verify = `${server.address}/oauth2/v2.1/verify?access_token=x`;
  let status = 200;
  for (let call = 0; call < 200 && status === 200; call += 1) status = (await fetch(verify)).status;
  assert.equal(status, 429);
});

test('with pass-through off only sends reach LINE', async (t) => {
  const line = await fakeLine(t);
  const server = await testServer(t, { lineApi: line.address, linePassThrough: 'off' });
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: lineSecret, accessToken: channelAccessToken });
  const client = clientOf({ server, line, botId });
  await assert.rejects(client.getProfile(lineUser('A')), { status: 404 });
  await client.broadcast({ messages });
  assert.deepEqual(
    line.requests.map(({ url }) => url),
    ['/v2/bot/message/broadcast'],
  );
});
