/**
 * Live chat over real sockets: all messages after the cursor in order, updates of both sides, and every way a socket closes.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ulid } from 'ulid';
import type { Clock } from '../src/time.ts';
import { addLiveChat, answerChats, openSocket, visit } from './harness/live-chat.ts';
import { rawConnection, requestHead } from './harness/raw-connection.ts';
import { oncePerFile, type Scope } from './harness/scope.ts';
import { testServer } from './harness/server.ts';

const startUnlimited = (scope: Scope, options: { clock?: Clock } = {}) =>
  testServer(scope, { chatVisitorLimit: 0, chatAddressLimit: 0 }, options);
const sharedServer = oncePerFile((scope) => startUnlimited(scope));

/** A visitor and an agent, by default on the file's server. */
async function chatting(starting = sharedServer()) {
  const server = await starting;
  const { botId, widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey);
  const agent = await answerChats(server, botId);
  const say = (text: string) =>
    agent.call(`chats/${visitor.visitorId}/messages`, { messageId: ulid(), text });
  return { server, botId, widgetKey, visitor, agent, say };
}

test('a socket with a cursor gets all messages after it in order, then new ones', async () => {
  const { visitor, say } = await chatting();
  // More than two pages of messages, from both sides.
  const numbers = Array.from({ length: 120 }, (_, index) => index);
  await Promise.all(
    numbers.map((number) => (number % 3 === 0 ? say(`${number}`) : visitor.send(`${number}`))),
  );
  const { messages } = (await visitor.call('messages?limit=200')).body;
  const [all, some, none] = [visitor.socket(), visitor.socket(100), visitor.socket(120)];
  await all.until((one) => one.messages().length === 120);
  const { body: last } = await say('last');
  for (const [socket, from] of [
    [all, 1],
    [some, 101],
    [none, 121],
  ] as const) {
    await socket.until((one) => one.messages().at(-1)?.sequence === 121);
    assert.deepEqual(socket.messages(), [...(messages as unknown[]), last].slice(from - 1));
    assert.deepEqual(socket.frames[0], { type: 'ready', heartbeatSeconds: 30 });
    socket.close();
  }
});

test('each side sees the other type, read, come online and close', async () => {
  const { visitor, agent, say, server, botId } = await chatting();
  const { visitorId } = visitor;
  const [office, colleague] = [agent.socket(), agent.socket()];
  for (const one of [office, colleague]) await one.until(({ frames }) => frames.length === 1);
  assert.deepEqual(office.frames[0], { type: 'ready' });
  const socket = visitor.socket();
  const receives = (one: typeof office, frame: object) =>
    one.until(({ frames }) => frames.some((came) => JSON.stringify(came) === JSON.stringify(frame)));
  await receives(office, { type: 'online', visitorId, on: true });
  const { body: message } = await visitor.send('hi');
  await receives(office, { type: 'message', visitorId, message });
  assert.equal((await agent.call(`chats/${visitorId}`)).body.online, true);
  socket.send({ type: 'typing', on: true });
  await receives(office, { type: 'typing', visitorId, from: 'visitor', on: true });
  office.send({ type: 'typing', visitorId, on: true });
  await receives(socket, { type: 'typing', on: true, agentName: null });
  await receives(colleague, { type: 'typing', visitorId, from: 'agent', on: true, agentName: null });
  assert.equal(
    office.frames.filter(({ from }) => from === 'agent').length,
    0,
    'an agent does not receive its own frames',
  );
  await agent.call(`chats/${visitorId}/seen`, { sequence: 1 });
  await receives(socket, { type: 'seen', sequence: 1 });
  await say('hello');
  await visitor.call('seen', { body: { sequence: 2 } });
  await receives(office, { type: 'seen', visitorId, by: 'visitor', sequence: 2 });
  await agent.call(`chats/${visitorId}/close`, {});
  await receives(office, { type: 'chat', visitorId });
  socket.send({ type: 'ping' });
  await receives(socket, { type: 'pong' });
  socket.close();
  await receives(office, { type: 'online', visitorId, on: false });
  assert.equal((await agent.call(`chats/${visitorId}`)).body.online, false);

  // A caller with the scope read gets everything and sends nothing.
  const reader = await answerChats(server, botId, 'read');
  const listening = reader.socket();
  await listening.until(({ frames }) => frames.length === 1);
  listening.send({ type: 'typing', visitorId, on: true });
  const { body: last } = await visitor.send('bye');
  await receives(listening, { type: 'message', visitorId, message: last });
  assert.equal(colleague.frames.filter(({ from }) => from === 'agent').length, 1);
  for (const one of [office, colleague, listening]) one.close();
});

test('no socket gets news of another visitor or another bot', async () => {
  const { server, visitor, widgetKey } = await chatting();
  const other = await addLiveChat(server);
  const stranger = await answerChats(server, other.botId);
  const [elsewhere, neighbour] = [stranger.socket(), (await visit(server.address, widgetKey)).socket()];
  for (const one of [elsewhere, neighbour]) await one.until(({ frames }) => frames.length === 1);
  const ownSocket = visitor.socket();
  await visitor.send('only mine');
  await ownSocket.until((one) => one.messages().length === 1);
  // This later message uses the same path, so an earlier frame would have arrived by then.
  const last = await visit(server.address, other.widgetKey);
  await last.send('theirs');
  await elsewhere.until((one) => one.messages().length === 1);
  assert.equal(elsewhere.messages()[0]?.text, 'theirs');
  assert.deepEqual(neighbour.messages(), []);
  const hello = { type: 'hello', token: stranger.token };
  const foreign = openSocket(`${server.address}/api/v1/bots/${'A'.repeat(9)}/chats/socket`, hello);
  await foreign.until(({ code }) => code === 4403);
  for (const one of [elsewhere, neighbour, ownSocket]) one.close();
});

test('an upgrade with an unknown widget key, a foreign origin or too many calls is rejected with an HTTP error', async (t) => {
  const server = await testServer(t, { chatVisitorLimit: 0, chatAddressLimit: 3 });
  const { widgetKey } = await addLiveChat(server, { allowedOrigins: ['https://shop.example'] });
  const upgrade = async (key: string, origin: string): Promise<string> => {
    const connection = await rawConnection(t, server.address);
    const headers = { origin, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const nonce = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    connection.write(requestHead('GET', `/live-chat/v1/${key}/socket`, { ...headers, ...nonce }));
    const answer = await connection.received(/\r\n\r\n/);
    connection.end();
    return answer.slice('HTTP/1.1 '.length, 'HTTP/1.1 '.length + 3);
  };
  assert.equal(await upgrade('unknown', 'https://shop.example'), '404');
  assert.equal(await upgrade(widgetKey, 'https://evil.example'), '403');
  const statuses: string[] = [];
  for (let count = 0; count < 4; count += 1) statuses.push(await upgrade(widgetKey, 'https://shop.example'));
  assert.deepEqual(statuses, ['101', '101', '101', '429']);
});

test('some connections are reserved for agents and calls', async (t) => {
  const server = await testServer(t, { chatVisitorLimit: 0, chatAddressLimit: 0, connectionsMax: 30 });
  const { botId, widgetKey } = await addLiveChat(server);
  const agent = await answerChats(server, botId);
  // A visitor can have only a few sockets.
  const open = async () => (await visit(server.address, widgetKey)).socket();
  for (let opened = 0; opened < 22; opened += 1)
    await (await open()).until(({ frames }) => frames.length > 0);
  const surplus = await open();
  await surplus.until(({ code }) => code !== null);
  assert.equal(surplus.code, 4429);
  const office = agent.socket();
  await office.until(({ frames }) => frames.length === 1);
  assert.deepEqual(office.frames[0], { type: 'ready' });
  assert.equal((await agent.call('chats')).status, 200);
});

test('unauthenticated sockets do not displace connected agents or block new ones', async (t) => {
  const server = await testServer(t, { chatVisitorLimit: 0, chatAddressLimit: 0, connectionsMax: 60 });
  const { botId } = await addLiveChat(server);
  const agent = await answerChats(server, botId);
  const first = agent.socket();
  await first.until(({ frames }) => frames.length === 1);
  const path = `/api/v1/bots/${botId}/chats/socket`;
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
  for (let opened = 0; opened < 70; opened += 1) {
    const anonymous = await rawConnection(t, server.address);
    const nonce = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    anonymous.write(requestHead('GET', path, { ...upgrade, ...nonce }));
    await anonymous.received(/^HTTP\/1.1 101 /);
  }
  const second = agent.socket();
  await second.until(({ frames, code }) => frames.length === 1 || code !== null);
  assert.deepEqual(second.frames, [{ type: 'ready' }]);
  assert.equal(first.code, null);
  assert.equal((await agent.call('chats')).status, 200);
});

test('a socket without rights or against the rules is closed with its code', async () => {
  const { server, botId, widgetKey, visitor } = await chatting();
  const url = `${server.address}/live-chat/v1/${widgetKey}/socket`;
  const office = `${server.address}/api/v1/bots/${botId}/chats/socket`;
  const hello = { type: 'hello', visitorToken: visitor.token, after: 0 };
  const other = await addLiveChat(server);
  const closes = async (code: number, ...[address, first, options]: Parameters<typeof openSocket>) => {
    const socket = openSocket(address, first, options);
    await socket.until((one) => one.code !== null);
    assert.equal(socket.code, code, JSON.stringify(first));
    assert.deepEqual(socket.messages(), []);
  };
  await Promise.all([
    closes(4401, url, { ...hello, visitorToken: `${visitor.token}x` }),
    closes(4401, url, { type: 'hello', after: 0 }),
    closes(4401, `${server.address}/live-chat/v1/${other.widgetKey}/socket`, hello),
    closes(1008, url, { ...hello, after: -1 }),
    closes(1008, url, { type: 'ping' }),
    closes(1008, url, 'nonsense'),
    closes(1009, url, { ...hello, filling: 'x'.repeat(4_096) }),
    closes(4408, url, null),
    closes(4401, office, { type: 'hello', token: visitor.token }),
    closes(4401, office, { type: 'hello', csrfToken: 'x' }),
    closes(1009, office, { type: 'hello', token: 'x'.repeat(5_000) }),
  ]);
  const chatty = visitor.socket();
  await chatty.until(({ frames }) => frames.length > 0);
  for (let count = 0; count < 150; count += 1) chatty.send({ type: 'typing', on: true });
  await chatty.until(({ code }) => code === 4429);
  const many = Array.from({ length: 11 }, () => visitor.socket());
  await Promise.all(many.map((one) => one.until(({ code, frames }) => code !== null || frames.length > 0)));
  while (many.every(({ code }) => code === null)) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(
    many.flatMap(({ code }) => code ?? []),
    [4429],
  );
  for (const one of many) one.close();
});

test('a revoked token closes its sockets', async (t) => {
  let now = Date.now();
  const { server, agent } = await chatting(startUnlimited(t, { clock: () => now }));
  const office = agent.socket();
  await office.until(({ frames }) => frames.length > 0);
  await server.sql`update admin_tokens set revoked_at = now()`;
  now += 20_000;
  office.send({ type: 'ping' });
  await office.until(({ code }) => code === 4401);
});

test('a socket that is silent for 75 s is closed', async (t) => {
  let now = Date.now();
  const { visitor } = await chatting(startUnlimited(t, { clock: () => now }));
  const [silent, alive] = [visitor.socket(), visitor.socket()];
  for (const one of [silent, alive]) await one.until(({ frames }) => frames.length > 0);
  now += 60_000;
  alive.send({ type: 'ping' });
  await alive.until(({ frames }) => frames.some(({ type }) => type === 'pong'));
  now += 16_000;
  await silent.until(({ code }) => code !== null);
  assert.equal(alive.code, null);
  alive.close();
});

test('a socket that reads nothing is closed and uses no more memory; another one continues', async (t) => {
  const { server, botId, visitor, agent } = await chatting(startUnlimited(t));
  const stuck = await rawSocket(`${server.address}/api/v1/bots/${botId}/chats/socket`, {
    type: 'hello',
    token: agent.token,
  });
  const fine = visitor.socket();
  await fine.until(({ frames }) => frames.length > 0);
  stuck.pause();
  let isCut = false;
  stuck.once('close', () => {
    isCut = true;
  });
  const text = '😀'.repeat(2_000);
  let sentCount = 0;
  const open = async () => {
    const text = await (await fetch(`${server.address}/metrics`)).text();
    return Number(/^shoal_live_chat_sockets (\d+)$/m.exec(text)?.[1]);
  };
  assert.equal(await open(), 2);
  while ((await open()) === 2 && sentCount < 3_000) {
    await Promise.all(Array.from({ length: 50 }, () => visitor.send(text)));
    sentCount += 50;
  }
  assert.ok(sentCount < 3_000, 'the socket was never closed');
  stuck.resume();
  await fine.until((one) => one.messages().length === sentCount);
  assert.deepEqual(
    fine.messages().map(({ sequence }) => sequence),
    Array.from({ length: sentCount }, (_, index) => index + 1),
  );
  while (!isCut) await new Promise((resolve) => setTimeout(resolve, 20));
  fine.close();
});

test('a server that stops closes its sockets with 1012 and leaves no visitor online', async (t) => {
  const { server, visitor, agent } = await chatting(startUnlimited(t));
  const sockets = [visitor.socket(), agent.socket()];
  for (const one of sockets) await one.until(({ frames }) => frames.length > 0);
  const sending = Array.from({ length: 20 }, (_, number) => visitor.send(`${number}`));
  const answers = await Promise.all(sending);
  for (const { status } of answers) assert.equal(status, 201);
  await server.close();
  for (const one of sockets) {
    await one.until(({ code }) => code !== null);
    assert.equal(one.code, 1012);
  }
  const rows = await server.sql`select from chat_online`;
  assert.equal(rows.length, 0);
});

test('a process that loses its listening connection sends its sockets the missed messages', async (t) => {
  const { server, visitor, agent, say } = await chatting(startUnlimited(t));
  const [socket, office] = [visitor.socket(), agent.socket()];
  for (const one of [socket, office]) await one.until(({ frames }) => frames.length > 0);
  await visitor.send('before');
  await socket.until((one) => one.messages().length === 1);
  for (let round = 0; round < 3; round += 1) {
    const [ended] = await server.sql`
      select count(pg_terminate_backend(pid))::integer as count from pg_stat_activity
      where datname = current_database() and application_name like '%listening'`;
    assert.equal(ended?.count, 1, 'one connection listens');
    // Written while no process listens.
    await Promise.all([say(`one ${round}`), visitor.send(`two ${round}`)]);
    await socket.until((one) => one.messages().length === 3 + 2 * round);
  }
  const sequences = socket.messages().map(({ sequence }) => sequence);
  assert.deepEqual(sequences, [1, 2, 3, 4, 5, 6, 7]);
  await office.until(({ code }) => code === 1012);
  socket.close();
});

/** A socket that reads when the test says so. */
async function rawSocket(address: string, hello: object) {
  const { hostname, port, pathname } = new URL(address);
  const socket = connect(Number(port), hostname);
  const key = Buffer.from('0123456789abcdef').toString('base64');
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once('data', resolve));
  const payload = Buffer.from(JSON.stringify(hello));
  // One masked text frame; a mask of zeros leaves the payload unchanged.
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  await new Promise((resolve) => socket.once('data', resolve));
  return socket.on('error', () => undefined);
}
