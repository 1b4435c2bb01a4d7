/**
 * Live chat over real HTTP: both sides see each message once and in order, and no other visitor does.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { ulid } from 'ulid';
import { createAdminToken } from '../src/auth/admin-tokens.ts';
import { readContract } from '../src/http/contract.ts';
import { identifierHashOf } from '../src/live-chat/identity.ts';
import { makeVisitorToken } from '../src/live-chat/visitor-token.ts';
import { openGate } from '../src/webhooks-out/addresses.ts';
import { setCallback } from '../src/webhooks-out/endpoints.ts';
import { forgetContact } from './harness/forget.ts';
import {
  describedJpeg,
  describedPng,
  describedWebp,
  exif,
  gif,
  jpeg,
  png,
  secret,
  webp,
} from './harness/images.ts';
import { type Answer, addLiveChat, answerChats, callLiveChat, visit } from './harness/live-chat.ts';
import { seededBytes } from './harness/random.ts';
import { receiver } from './harness/receiver.ts';
import { oncePerFile } from './harness/scope.ts';
import { testServer } from './harness/server.ts';
import { until } from './harness/until.ts';

const contract = await readContract(new URL('../contracts/live-chat.yaml', import.meta.url));
const ajv = new Ajv({ strict: false });
addFormats.default(ajv);
const identityKey = 'an-identity-key-for-tests';
const sharedServer = oncePerFile((scope) =>
  testServer(scope, { chatVisitorLimit: 0, chatAddressLimit: 0, chatImages: 'always' }),
);

/** Status and code of a rejection, checked against the contract. */
function refused({ status, body }: Answer): [number, unknown] {
  assert.equal(body.type, `/docs/errors#${body.code}`);
  assert.equal(body.status, status);
  return [status, body.code];
}

function expectAnswer(operationId: string, { status, body }: Answer): void {
  const schema = contract.operations.find(({ id }) => id === operationId)?.answers[status];
  assert.ok(schema, `${operationId} ${status}`);
  assert.ok(ajv.validate(schema, body), `${operationId} ${ajv.errorsText()} ${JSON.stringify(body)}`);
}

test('a visitor writes, the business replies, both read the messages in order, and figures count as in figures.md', async () => {
  const server = await sharedServer();
  const { botId, widgetKey } = await addLiveChat(server);
  const session = await callLiveChat(server.address, `${widgetKey}/session`, { body: {} });
  expectAnswer('beginSession', session);
  assert.deepEqual([session.body.name, session.body.identified, session.body.unread], ['test', false, 0]);
  const visitor = await visit(server.address, widgetKey, { language: 'ja', name: '王小明' });
  const agent = await answerChats(server, botId);
  const first = await visitor.send('請問今天可以出貨嗎？');
  expectAnswer('sendMessage', first);
  assert.equal(first.status, 201);
  const image = await visitor.call(`images?messageId=${ulid()}`, {
    body: png,
    headers: { 'content-type': 'image/png' },
  });
  assert.equal(image.status, 201);
  const chat = `chats/${visitor.visitorId}`;
  await agent.call(`${chat}/messages`, {
    messageId: ulid(),
    text: '可以的',
    quickReplies: ['謝謝'],
    agentName: 'Mei',
  });
  await agent.call(`${chat}/messages`, { messageId: ulid(), text: 'Welcome!', from: 'bot' });
  const page = await visitor.call('messages');
  expectAnswer('listMessages', page);
  const summaries = (page.body.messages as Record<string, unknown>[]).map(
    ({ sequence, from, kind, text, agentName }) => [...[sequence, from, kind, text, agentName]],
  );
  assert.deepEqual(summaries, [
    [1, 'visitor', 'text', '請問今天可以出貨嗎？', null],
    [2, 'visitor', 'image', null, null],
    [3, 'agent', 'text', '可以的', 'Mei'],
    [4, 'bot', 'text', 'Welcome!', null],
  ]);
  assert.deepEqual((await agent.call(`${chat}/messages`)).body, page.body);
  const sequences = async (query: string) => {
    const { body } = await visitor.call(`messages?${query}`);
    return [...(body.messages as { sequence: number }[]).map((one) => one.sequence), body.hasMore];
  };
  assert.deepEqual(await sequences('after=1&limit=2'), [2, 3, true]);
  assert.deepEqual(await sequences('before=4&limit=2'), [2, 3, true]);
  assert.deepEqual(await sequences('limit=2'), [3, 4, true]);
  assert.deepEqual(await sequences('after=4'), [false]);
  const again = await callLiveChat(server.address, `${widgetKey}/session`, {
    token: visitor.token,
    body: {},
  });
  assert.deepEqual(
    [again.body.visitorId, again.body.lastSequence, again.body.unread],
    [visitor.visitorId, 4, 2],
  );
  await visitor.call('seen', { body: { sequence: 99 } });
  assert.equal((await visitor.call('messages')).body.seenByVisitor, 4);

  await server.folded();
  const { body } = await agent.call('figures');
  const figures = (body.platforms as Record<string, Record<string, number>>).liveChat;
  assert.deepEqual(
    [figures?.followers, figures?.messages, figures?.conversations, figures?.conversationMessages],
    [1, 4, 1, 4],
  );
  const listed = (await agent.call('chats')).body.chats as Record<string, unknown>[];
  assert.deepEqual(
    [listed.length, listed[0]?.name, listed[0]?.language, listed[0]?.unread],
    [1, '王小明', 'ja', 2],
  );
  assert.match(String(listed[0]?.contactId), /^[A-Za-z]+$/);
});

test('a repeated message, also a concurrent one, is stored once; another text under its id is refused', async () => {
  const server = await sharedServer();
  const { botId, widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey);
  const messageId = ulid();
  const answers = await Promise.all(Array.from({ length: 20 }, () => visitor.send('once', messageId)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [...Array(19).fill(200), 201]);
  for (const { body } of answers) assert.deepEqual(body, answers[0]?.body);
  assert.deepEqual(refused(await visitor.send('other', messageId)), [409, 'MESSAGE_ID_TAKEN']);
  const image = { body: png, headers: { 'content-type': 'image/png' } };
  assert.deepEqual(refused(await visitor.call(`images?messageId=${messageId}`, image)), [
    409,
    'MESSAGE_ID_TAKEN',
  ]);
  const imageId = ulid();
  for (const status of [201, 200])
    assert.equal((await visitor.call(`images?messageId=${imageId}`, image)).status, status);
  await server.folded();
  const deliveries = await server.sql`select source from deliveries where bot_id = ${botId}`;
  assert.deepEqual([...deliveries], [{ source: 'live-chat' }, { source: 'live-chat' }]);
});

test('texts and images that can be stored and shown are accepted, others are refused', async () => {
  const server = await sharedServer();
  const { widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey);
  const long = await visitor.send('😀'.repeat(2_000));
  assert.equal(long.status, 201);
  assert.equal((await visitor.send('ab\ud800')).body.text, 'ab\ufffd');
  assert.equal((await visitor.send('<b>not bold</b>')).body.text, '<b>not bold</b>');
  for (const [body, code] of [
    [{ messageId: ulid(), text: '😀'.repeat(2_001) }, 400],
    [{ messageId: ulid(), text: ' \n ' }, 400],
    [{ messageId: ulid() }, 400],
    [{ messageId: ulid(), text: 'a\0b' }, 400],
    [{ messageId: 'short', text: 'hi' }, 400],
    [{ messageId: ulid(), text: 'hi', from: 'agent' }, 400],
    [{ messageId: ulid(), text: 'x'.repeat(40_000) }, 413],
  ] as const) {
    assert.equal((await visitor.call('messages', { body })).status, code);
  }
  const upload = (body: Uint8Array, type = 'image/png') =>
    visitor.call(`images?messageId=${ulid()}`, { body, headers: { 'content-type': type } });
  const images = [
    ['image/png', png],
    ['image/jpeg', jpeg],
    ['image/gif', gif],
    ['image/webp', webp],
  ] as const;
  for (const [type, bytes] of images) {
    // The declared type is ignored.
    const { body } = await upload(bytes);
    assert.deepEqual(body.image, { type, bytes: bytes.length });
    const got = await fetch(`${server.address}/live-chat/v1/${widgetKey}/images/${body.messageId}`, {
      headers: { authorization: `Bearer ${visitor.token}` },
    });
    assert.equal(got.headers.get('content-type'), type);
    assert.equal(got.headers.get('x-content-type-options'), 'nosniff');
    assert.deepEqual(Buffer.from(await got.arrayBuffer()), bytes);
  }
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>');
  for (const [body, type] of [
    [svg, 'image/svg+xml'],
    [svg, 'image/png'],
    [Buffer.alloc(0), 'image/png'],
    [Buffer.from('89504e470d0a1a0a0000', 'hex'), 'image/png'],
  ] as const) {
    assert.deepEqual(refused(await upload(body, type)), [415, 'MEDIA_TYPE_UNSUPPORTED']);
  }
  const large = Buffer.concat([png, Buffer.alloc(5 * 1024 * 1024)]);
  assert.deepEqual(refused(await upload(large)), [413, 'BODY_TOO_LARGE']);
  assert.deepEqual(refused(await visitor.call(`images/${ulid()}`)), [404, 'IMAGE_NOT_FOUND']);
});

test('images of visitors and of the business are stored without location and captions', async () => {
  const server = await sharedServer();
  const { botId, widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey);
  await visitor.send('hello');
  const { token } = await createAdminToken(
    server.sql,
    { name: 'agent', scope: 'write', botIds: [botId] },
    { now: Date.now(), random: randomBytes },
  );
  for (const image of [describedJpeg(exif(6)), describedPng(exif(6)), describedWebp(exif(6))]) {
    assert.ok(image.includes(secret));
    const body = new Uint8Array(image);
    const headers = { 'content-type': 'image/jpeg' };
    const response = await visitor.call(`images?messageId=${ulid()}`, { body, headers });
    const answered = await fetch(
      `${server.address}/api/v1/bots/${botId}/chats/${visitor.visitorId}/images?messageId=${ulid()}`,
      { method: 'POST', body, headers: { ...headers, authorization: `Bearer ${token}` } },
    );
    assert.deepEqual([response.status, answered.status], [201, 200]);
  }
  const stored = await server.sql<{ content: Uint8Array }[]>`
    select content from chat_images where bot_id = ${botId}`;
  assert.equal(stored.length, 6);
  for (const { content } of stored) assert.ok(!Buffer.from(content).includes('secret'));
});

test("a token gives access to its own visitor's chat only, and a changed or expired one to none", async () => {
  const server = await sharedServer();
  const [one, other] = [await addLiveChat(server), await addLiveChat(server)];
  const [ann, bob] = [await visit(server.address, one.widgetKey), await visit(server.address, one.widgetKey)];
  const image = await ann.call(`images?messageId=${ulid()}`, {
    body: png,
    headers: { 'content-type': 'image/png' },
  });
  assert.deepEqual((await bob.call('messages')).body.messages, []);
  assert.deepEqual(refused(await bob.call(`images/${image.body.messageId}`)), [404, 'IMAGE_NOT_FOUND']);
  const now = Date.now();
  const claims = { botId: one.botId, visitorId: ann.visitorId };
  const [head = '', signature = ''] = ann.token.split('.');
  const expired = makeVisitorToken(server.keys, { ...claims, now: now - 181 * 86_400_000 }).visitorToken;
  const unknown = makeVisitorToken(server.keys, { ...claims, visitorId: 'v_nobody', now }).visitorToken;
  const renamed = `shoal_visitor_${Buffer.from(`${one.botId} ${bob.visitorId} 9999999999`).toString('base64url')}`;
  for (const token of [
    ...['', 'nonsense', `${ann.token}A`, `${renamed}.${signature}`, `${head}.`, expired, unknown],
  ]) {
    for (const path of ['messages', 'session']) {
      const body = path === 'session' ? { body: {} } : {};
      const answer = await callLiveChat(server.address, `${one.widgetKey}/${path}`, { token, ...body });
      assert.deepEqual(refused(answer), [401, 'TOKEN_INVALID'], `${path} ${token}`);
    }
  }
  for (const path of ['messages', 'session']) {
    const body = path === 'session' ? { body: {} } : {};
    const answer = await callLiveChat(server.address, `${other.widgetKey}/${path}`, {
      token: ann.token,
      ...body,
    });
    assert.deepEqual(refused(answer), [401, 'TOKEN_INVALID'], 'of another bot');
    const without = await callLiveChat(server.address, `unknown/${path}`, { token: ann.token, ...body });
    assert.deepEqual(refused(without), [404, 'WIDGET_NOT_FOUND']);
  }
  const messages = { body: { messageId: ulid(), text: 'hi' } };
  assert.deepEqual(refused(await callLiveChat(server.address, `${one.widgetKey}/messages`, messages)), [
    401,
    'TOKEN_INVALID',
  ]);
  await server.sql`update channels set enabled = false where bot_id = ${other.botId}`;
  const later = await addLiveChat(server);
  await server.sql`update channels set enabled = false where bot_id = ${later.botId}`;
  assert.deepEqual(refused(await callLiveChat(server.address, `${later.widgetKey}/session`, { body: {} })), [
    404,
    'WIDGET_NOT_FOUND',
  ]);
});

test('only pages of the allowed origins may call, and the answer names exactly the calling one', async () => {
  const server = await sharedServer();
  const shop = 'https://shop.example';
  const { widgetKey } = await addLiveChat(server, { allowedOrigins: [shop, 'https://www.shop.example'] });
  const begin = (origin?: string, key = widgetKey) =>
    callLiveChat(server.address, `${key}/session`, { body: {}, ...(origin ? { origin } : {}) });
  const good = await begin(shop);
  assert.equal(good.status, 200);
  assert.equal(good.headers.get('access-control-allow-origin'), shop);
  assert.equal(good.headers.get('access-control-allow-credentials'), null);
  assert.match(good.headers.get('vary') ?? '', /Origin/);
  for (const origin of [
    'https://evil.example',
    'http://shop.example',
    'https://shop.example.evil',
    'null',
    undefined,
  ]) {
    const answer = await begin(origin);
    assert.deepEqual(refused(answer), [403, 'ORIGIN_NOT_ALLOWED']);
    // The page can read the reason of the rejection.
    assert.equal(answer.headers.get('access-control-allow-origin'), origin ?? null);
  }
  const ask = (origin: string) =>
    callLiveChat(server.address, `${widgetKey}/messages`, {
      ...{ method: 'OPTIONS', origin },
      headers: { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
  const preflight = await ask(shop);
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-origin'), shop);
  assert.equal(preflight.headers.get('access-control-allow-headers'), 'Authorization, Content-Type');
  // A preflight has no credentials, and the call after it is rejected.
  assert.equal((await ask('https://evil.example')).status, 204);
  const open = await addLiveChat(server);
  assert.equal(
    (await begin('https://any.example', open.widgetKey)).headers.get('access-control-allow-origin'),
    'https://any.example',
  );
  assert.equal((await begin(undefined, open.widgetKey)).status, 200);
  // The page can read the reason of the rejection.
  const wrong = await callLiveChat(server.address, `${widgetKey}/messages`, { origin: shop });
  assert.deepEqual([wrong.status, wrong.headers.get('access-control-allow-origin')], [401, shop]);
});

test('a customer is one visitor in all sessions, and no other person gets that chat', async () => {
  const server = await sharedServer();
  const { widgetKey } = await addLiveChat(server, { identityKey });
  const begin = (body: object, token?: string) =>
    callLiveChat(server.address, `${widgetKey}/session`, { body, ...(token ? { token } : {}) });
  const ann = { identifier: 'customer-1001', identifierHash: identifierHashOf(identityKey, 'customer-1001') };
  const bob = { identifier: 'customer-1002', identifierHash: identifierHashOf(identityKey, 'customer-1002') };
  for (const identifierHash of [undefined, '', bob.identifierHash, `${ann.identifierHash}0`, identityKey]) {
    assert.deepEqual(refused(await begin({ ...ann, identifierHash })), [401, 'IDENTITY_INVALID']);
  }
  const anonymous = await begin({});
  const bound = await begin(ann, String(anonymous.body.visitorToken));
  assert.deepEqual([bound.body.visitorId, bound.body.identified], [anonymous.body.visitorId, true]);
  const elsewhere = await begin({ ...ann, identifierHash: ann.identifierHash.toUpperCase() });
  assert.equal(elsewhere.body.visitorId, bound.body.visitorId);
  // Another person on the same computer, signed in and signed out.
  const token = String(bound.body.visitorToken);
  const second = await begin(bob, token);
  assert.notEqual(second.body.visitorId, bound.body.visitorId);
  const signedOut = await begin({}, token);
  assert.deepEqual([signedOut.body.identified, signedOut.body.lastSequence], [false, 0]);
  assert.notEqual(signedOut.body.visitorId, bound.body.visitorId);
  assert.equal((await begin(ann, String(second.body.visitorToken))).body.visitorId, bound.body.visitorId);
  const carol = { identifier: 'C', identifierHash: identifierHashOf(identityKey, 'C') };
  const atOnce = await Promise.all(Array.from({ length: 10 }, () => begin(carol)));
  assert.equal(new Set(atOnce.map(({ body }) => body.visitorId)).size, 1);
  const tokens = await Promise.all(Array.from({ length: 5 }, () => begin({})));
  const dan = { identifier: 'D', identifierHash: identifierHashOf(identityKey, 'D') };
  const bindings = await Promise.all(tokens.map(({ body }) => begin(dan, String(body.visitorToken))));
  assert.equal(new Set(bindings.map(({ body }) => body.visitorId)).size, 1);

  const strict = await addLiveChat(server, { identityKey, identityRequired: true });
  const enter = (body: object) => callLiveChat(server.address, `${strict.widgetKey}/session`, { body });
  assert.deepEqual(refused(await enter({})), [401, 'IDENTITY_REQUIRED']);
  assert.equal((await enter(ann)).status, 200);
  const keyless = await addLiveChat(server);
  assert.deepEqual(
    refused(await callLiveChat(server.address, `${keyless.widgetKey}/session`, { body: ann })),
    [401, 'IDENTITY_INVALID'],
  );
});

test('messages of a visitor and calls of an address are rate limited', async (t) => {
  let now = Date.parse('2026-03-01T00:00:00Z');
  const server = await testServer(t, { chatVisitorLimit: 3, chatAddressLimit: 20 }, { clock: () => now });
  const { widgetKey } = await addLiveChat(server);
  const [ann, bob] = [await visit(server.address, widgetKey), await visit(server.address, widgetKey)];
  for (const text of ['1', '2', '3']) assert.equal((await ann.send(text)).status, 201);
  const fourth = await ann.send('4');
  assert.deepEqual(refused(fourth), [429, 'RATE_LIMITED']);
  assert.equal(fourth.headers.get('retry-after'), '20');
  assert.equal((await bob.send('hi')).status, 201);
  now += 20_000;
  assert.equal((await ann.send('4')).status, 201);
  let calls = 0;
  while ((await bob.call('messages')).status === 200) calls += 1;
  assert.ok(calls < 20, `${calls}`);
  const late = await callLiveChat(server.address, `${widgetKey}/session`, { body: {} });
  assert.deepEqual(refused(late), [429, 'RATE_LIMITED']);
  assert.ok(Number(late.headers.get('retry-after')) >= 1);
  now += 60_000;
  assert.equal((await bob.call('messages')).status, 200);
});

test('a clock that was 26 hours ahead for a while does not keep later messages from being counted', async (t) => {
  let now = Date.parse('2026-03-01T00:00:00Z');
  const server = await testServer(t, {}, { clock: () => now });
  const { widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey);
  now += 30_000;
  await visitor.send('right');
  now -= 30_000;
  const skewed = await visitor.send('a process behind by 30 s');
  assert.equal(skewed.body.sentAt, '2026-03-01T00:00:30.000Z', 'never earlier than the one before it');
  now += 26 * 3_600_000;
  await visitor.send('ahead');
  now -= 26 * 3_600_000;
  const back = await visitor.send('right again');
  assert.equal(back.body.sentAt, '2026-03-01T00:00:00.000Z');
  await server.folded();
  const aside = await server.sql`select set_aside_reason from deliveries where set_aside_reason is not null`;
  assert.deepEqual([...aside], []);
  const counted = await server.sql`select inbound from totals where platform = 'liveChat'`;
  assert.deepEqual([...counted], [{ inbound: 4 }]);
});

test('a blocked visitor reads and cannot write; it counts as blocked until it is unblocked', async () => {
  const server = await sharedServer();
  const { botId, widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey);
  const agent = await answerChats(server, botId);
  await visitor.send('hi');
  await server.folded();
  const chat = async () => (await agent.call(`chats/${visitor.visitorId}`)).body;
  const { contactId } = await chat();
  const block = (what: 'block' | 'unblock') =>
    agent.call(`contacts/${contactId}/${what}`, {}, { 'idempotency-key': what });
  assert.equal((await block('block')).status, 200);
  assert.equal((await chat()).blocked, true);
  assert.deepEqual(refused(await visitor.send('please')), [403, 'VISITOR_BLOCKED']);
  assert.equal((await visitor.call('messages')).status, 200);
  assert.equal(
    (await agent.call(`chats/${visitor.visitorId}/messages`, { messageId: ulid(), text: 'no' })).status,
    200,
  );
  const blocks = async () =>
    ((await agent.call('figures')).body.platforms as Record<string, Record<string, number>>).liveChat?.blocks;
  assert.equal(await blocks(), 1);
  assert.equal((await block('unblock')).status, 200);
  assert.equal((await visitor.send('thanks')).status, 201);
  await server.folded();
  assert.equal(await blocks(), 0);
});

test('a deleted visitor leaves no message, image or valid token; the figures stay', async (t) => {
  const server = await testServer(t);
  const { botId, widgetKey } = await addLiveChat(server, { identityKey });
  const identity = {
    identifier: 'C-1',
    identifierHash: identifierHashOf(identityKey, 'C-1'),
    name: 'Secret Name',
  };
  const visitor = await visit(server.address, widgetKey, identity);
  const other = await visit(server.address, widgetKey);
  const agent = await answerChats(server, botId);
  await visitor.send('a secret');
  await visitor.call(`images?messageId=${ulid()}`, { body: png, headers: { 'content-type': 'image/png' } });
  await other.send('stays');
  const note = { noteId: ulid(), text: 'a secret about Secret Name' };
  await agent.call(`chats/${visitor.visitorId}/notes`, note);
  const socket = visitor.socket();
  await socket.until((one) => one.messages().length === 2);
  await server.folded();
  const { contactId } = (await agent.call(`chats/${visitor.visitorId}`)).body;
  const random = seededBytes(3);
  await forgetContact(server.sql, { botId, contactId: String(contactId) }, { now: Date.now(), random });
  await socket.until(({ code }) => code === 4401);
  // A socket that opened just now may be stored after the deletion, and is deleted because it was closed.
  const isOnline = async () =>
    (await server.sql`select from chat_online where visitor_id = ${visitor.visitorId}`).length > 0;
  await until(async () => !(await isOnline()), 'the deleted visitor is offline');
  for (const table of [
    'deliveries',
    'events',
    'contacts',
    'chat_visitors',
    'chat_messages',
    'chat_images',
    'chat_notes',
    'chat_online',
    'chat_usage',
  ]) {
    const rows = await server.sql`select row_to_json(one)::text as text from ${server.sql(table)} one`;
    const text = rows.map((row) => String(row.text)).join('\n');
    const hex = Buffer.from('a secret').toString('hex');
    for (const trace of [visitor.visitorId, 'a secret', hex, 'Secret Name', 'C-1"']) {
      assert.equal(text.includes(trace), false, `${table} ${trace}`);
    }
  }
  assert.deepEqual(refused(await visitor.send('again')), [401, 'TOKEN_INVALID']);
  assert.equal(((await other.call('messages')).body.messages as unknown[]).length, 1);
  const figures = (await agent.call('figures')).body.platforms as Record<string, Record<string, number>>;
  assert.deepEqual([figures.liveChat?.followers, figures.liveChat?.messages], [2, 3]);
  assert.notEqual((await visit(server.address, widgetKey, identity)).visitorId, visitor.visitorId);
});

test('a program gets each message of a visitor once, and answers as the bot', async (t) => {
  const shop = await receiver(t);
  const server = await testServer(t, { callbackPrivate: true });
  const { botId, widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey);
  const agent = await answerChats(server, botId);
  const making = {
    gate: openGate({ allowPrivate: true }),
    now: Date.now(),
    random: seededBytes(4),
    keys: server.keys,
  };
  await setCallback(server.sql, { botId, url: shop.url }, making);
  const socket = visitor.socket();
  const answered = Promise.withResolvers<void>();
  shop.answer = ({ type, data }, response) => {
    response.end();
    if (type !== 'chat.message') return;
    const reply = { messageId: ulid(), text: `You said: ${data.text}`, from: 'bot' };
    agent
      .call(`chats/${data.platformContactId}/messages`, reply)
      .then(() => answered.resolve(), answered.reject);
  };
  const question = await visitor.send('hello?');
  await answered.promise;
  await socket.until((one) => one.messages().length === 2);
  assert.equal(socket.messages()[1]?.text, 'You said: hello?');
  await server.folded();
  const webhookData = shop.received.filter(({ type }) => type === 'chat.message').map(({ data }) => data);
  assert.equal(webhookData.length, 1, 'messages of the business cause no webhook');
  const { messageId, sequence, kind, text } = webhookData[0] ?? {};
  assert.deepEqual([messageId, sequence, kind, text], [question.body.messageId, 1, 'text', 'hello?']);
  socket.close();
});
