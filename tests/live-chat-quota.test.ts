/**
 * How much live chat stores: bytes a day of a visitor, of an address and of a bot, and the right to send images.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ulid } from 'ulid';
import { startServer } from '../src/server/server.ts';
import { dayMs, hourMs } from '../src/time.ts';
import { gif, png } from './harness/images.ts';
import { type Answer, addLiveChat, answerChats, visit } from './harness/live-chat.ts';
import { testServer } from './harness/server.ts';

const kib = 1024;
/** 23:00 of 2026-03-01 in Taipei. */
const evening = Date.parse('2026-03-01T15:00:00Z');
const noRates = { chatVisitorLimit: 0, chatAddressLimit: 0 };
const image = (bytes: number): Buffer => Buffer.concat([gif, Buffer.alloc(bytes - gif.length)]);

type Visitor = Awaited<ReturnType<typeof visit>>;

function sendImage(visitor: Visitor, body: Uint8Array, messageId = ulid(), at?: string): Promise<Answer> {
  const headers = { 'content-type': 'image/png' };
  return visitor.call(`images?messageId=${messageId}`, { body, headers }, at);
}

function outcome({ status, body }: Answer): unknown[] {
  return body.code === undefined ? [status] : [status, body.code];
}

test('an unknown visitor can send images only after a reply of the business, an identified one at once', async (t) => {
  const server = await testServer(t);
  const { botId, widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey);
  const session = async (token: string) =>
    (await visitor.call('session', { token, body: {} })).body.imagesAllowed;
  assert.equal(await session(visitor.token), false);
  await visitor.send('hello');
  assert.deepEqual(outcome(await sendImage(visitor, png)), [403, 'IMAGES_NOT_ALLOWED']);
  // Larger than any image, so it is rejected before the body is read.
  const large = await sendImage(visitor, image(6 * kib * kib));
  assert.deepEqual(outcome(large), [403, 'IMAGES_NOT_ALLOWED']);
  const agent = await answerChats(server, botId);
  const answer = { messageId: ulid(), text: 'Hello! Please send a photo.' };
  assert.equal((await agent.call(`chats/${visitor.visitorId}/messages`, answer)).status, 200);
  assert.equal(await session(visitor.token), true);
  assert.deepEqual(outcome(await sendImage(visitor, png)), [201]);

  const other = await visit(server.address, widgetKey);
  assert.deepEqual(outcome(await sendImage(other, png)), [403, 'IMAGES_NOT_ALLOWED']);
  await server.sql`update chat_visitors set identifier = 'C-1' where visitor_id = ${other.visitorId}`;
  assert.deepEqual(outcome(await sendImage(other, png)), [201]);
});

test('with SHOAL_CHAT_IMAGES=always every visitor can send images', async (t) => {
  const server = await testServer(t, { chatImages: 'always' });
  const { widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey);
  assert.equal((await visitor.call('session', { body: {} })).body.imagesAllowed, true);
  assert.deepEqual(outcome(await sendImage(visitor, png)), [201]);
});

test('a visitor can store its daily bytes, and again on the next day of the bot', async (t) => {
  let now = evening;
  const server = await testServer(
    t,
    { ...noRates, chatImages: 'always', chatVisitorBytes: 100 * kib },
    { clock: () => now },
  );
  const { botId, widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey);
  const other = await visit(server.address, widgetKey);
  const messageId = ulid();
  assert.deepEqual(outcome(await sendImage(visitor, image(60 * kib), messageId)), [201]);
  const refused = await sendImage(visitor, image(60 * kib));
  assert.deepEqual(outcome(refused), [429, 'CHAT_QUOTA_REACHED']);
  assert.equal(refused.headers.get('retry-after'), String(hourMs / 1000));
  // The repeat of a stored message, a message that fits, and another visitor.
  assert.deepEqual(outcome(await sendImage(visitor, image(60 * kib), messageId)), [200]);
  assert.deepEqual(outcome(await sendImage(visitor, image(40 * kib))), [201]);
  assert.deepEqual(outcome(await visitor.send('a')), [429, 'CHAT_QUOTA_REACHED']);
  assert.deepEqual(outcome(await sendImage(other, image(60 * kib))), [201]);
  now += hourMs;
  assert.deepEqual(outcome(await sendImage(visitor, image(60 * kib))), [201]);
  const [row] = await server.sql`
    select sum(octet_length(content))::integer as bytes from chat_images where bot_id = ${botId}`;
  assert.equal(row?.bytes, 220 * kib);
});

test('texts count by their bytes', async (t) => {
  const server = await testServer(t, { chatVisitorBytes: 1_000 });
  const { widgetKey } = await addLiveChat(server);
  const visitor = await visit(server.address, widgetKey);
  assert.deepEqual(outcome(await visitor.send('字'.repeat(300))), [201]);
  assert.deepEqual(outcome(await visitor.send('字'.repeat(34))), [429, 'CHAT_QUOTA_REACHED']);
  assert.deepEqual(outcome(await visitor.send('字'.repeat(33))), [201]);
});

test('visitors of one address share its daily bytes, and the address is not stored', async (t) => {
  const server = await testServer(t, { ...noRates, chatImages: 'always', chatAddressBytes: 100 * kib });
  const { widgetKey } = await addLiveChat(server);
  const sendFrom = async (address: string, bytes: number) => {
    const visitor = await visit(server.address, widgetKey);
    const headers = { 'content-type': 'image/png', 'x-forwarded-for': address };
    const response = await visitor.call(`images?messageId=${ulid()}`, { body: image(bytes), headers });
    return outcome(response);
  };
  assert.deepEqual(await sendFrom('2001:db8:1:2::1', 60 * kib), [201]);
  assert.deepEqual(await sendFrom('2001:db8:1:2::ff', 60 * kib), [429, 'CHAT_QUOTA_REACHED']);
  assert.deepEqual(await sendFrom('2001:db8:1:3::1', 60 * kib), [201]);
  assert.deepEqual(await sendFrom('203.0.113.7', 60 * kib), [201]);
  assert.deepEqual(await sendFrom('203.0.113.7', 60 * kib), [429, 'CHAT_QUOTA_REACHED']);
  const rows = await server.sql`select key from chat_usage where kind = 'address'`;
  assert.equal(rows.length, 3);
  for (const { key } of rows) assert.doesNotMatch(String(key), /2001|203/);
});

test('the bytes of a bot limit visitors and images of agents, but not texts of agents or other bots', async (t) => {
  const server = await testServer(t, { ...noRates, chatBotBytes: 100 * kib, chatVisitorBytes: 90 * kib });
  const { botId, widgetKey } = await addLiveChat(server);
  const agent = await answerChats(server, botId);
  const visitor = await visit(server.address, widgetKey);
  const path = `chats/${visitor.visitorId}`;
  await agent.call(`${path}/messages`, { messageId: ulid(), text: 'hello' });
  const agentImage = async (bytes: number) => {
    const { status } = await fetch(
      `${server.address}/api/v1/bots/${botId}/${path}/images?messageId=${ulid()}`,
      {
        method: 'POST',
        body: new Uint8Array(image(bytes)),
        headers: { authorization: `Bearer ${agent.token}`, 'content-type': 'image/png' },
      },
    );
    return status;
  };
  assert.deepEqual(outcome(await sendImage(visitor, image(80 * kib))), [201]);
  assert.equal(await agentImage(20 * kib), 200);
  assert.equal(await agentImage(20 * kib), 429);
  assert.deepEqual(outcome(await visitor.send('hello')), [429, 'CHAT_QUOTA_REACHED']);
  const text = { messageId: ulid(), text: 'We come back to you.' };
  assert.equal((await agent.call(`${path}/messages`, text)).status, 200);
  const { widgetKey: otherKey } = await addLiveChat(server);
  assert.deepEqual(outcome(await (await visit(server.address, otherKey)).send('hello')), [201]);
});

test('two processes store exactly the messages that fit when many arrive at once, and refuse each of the others', async (t) => {
  const bytes = 10 * kib;
  const settings = { ...noRates, chatImages: 'always' as const, chatAddressBytes: 20 * bytes };
  const server = await testServer(t, settings);
  const second = await startServer({ ...server.config, ...settings });
  t.after(() => second.close());
  const { botId, widgetKey } = await addLiveChat(server);
  const visitors = await Promise.all(Array.from({ length: 8 }, () => visit(server.address, widgetKey)));
  const messages = Array.from({ length: 64 }, (_, index) => ({
    visitor: visitors[index % visitors.length],
    at: index % 3 === 0 ? second.address : server.address,
  }));
  const outcomes: unknown[][] = [];
  // A visitor uploads two images at a time.
  for (let first = 0; first < messages.length; first += 16) {
    const batch = messages.slice(first, first + 16).map(async ({ visitor, at }) => {
      assert.ok(visitor);
      return outcome(await sendImage(visitor, image(bytes), ulid(), at));
    });
    outcomes.push(...(await Promise.all(batch)));
  }
  const count = (status: number) => outcomes.filter(([one]) => one === status).length;
  assert.deepEqual([count(201), count(429)], [20, 44]);
  const rows = await server.sql`
    select kind, sum(bytes)::integer as bytes from chat_usage where bot_id = ${botId} group by kind order by kind`;
  assert.deepEqual(
    rows.map(({ kind, bytes: sum }) => [kind, sum]),
    [
      ['address', 20 * bytes],
      ['bot', 20 * bytes],
      ['visitor', 20 * bytes],
    ],
  );
  const [images] =
    await server.sql`select count(*)::integer as count from chat_images where bot_id = ${botId}`;
  assert.equal(images?.count, 20);
});

test('the health of a bot shows the bytes of today and the limits', async (t) => {
  const server = await testServer(t, { chatImages: 'always', chatAddressBytes: 0 }, { clock: () => evening });
  const { botId, widgetKey } = await addLiveChat(server);
  const agent = await answerChats(server, botId);
  const none = { bytes: 0, limit: 20_971_520 };
  assert.deepEqual((await agent.call('health')).body.liveChat, {
    ...{ day: '2026-03-01', visitor: none, address: { bytes: 0, limit: null } },
    bot: { bytes: 0, limit: 1_073_741_824 },
  });
  for (const bytes of [1_000, 2_000]) await sendImage(await visit(server.address, widgetKey), image(bytes));
  assert.deepEqual((await agent.call('health')).body.liveChat, {
    ...{ day: '2026-03-01', visitor: { ...none, bytes: 2_000 }, address: { bytes: 3_000, limit: null } },
    bot: { bytes: 3_000, limit: 1_073_741_824 },
  });
});

test('counts of past days are deleted, and those of today remain', async (t) => {
  const days = ['2026-02-26', '2026-02-27', '2026-03-01'];
  let now = evening - 4 * dayMs;
  const server = await testServer(t, { role: 'all' }, { clock: () => now });
  const { botId } = await server.addBot();
  await server.sql`
    insert into chat_usage (bot_id, day, kind, key, bytes)
    select ${botId}, day::date, 'bot', '', 1 from unnest(${days}::text[]) as days (day)`;
  await server.close();
  now = evening;
  const later = await startServer({ ...server.config, port: 0 }, { clock: () => now });
  t.after(() => later.close());
  const remainingDays = async () =>
    (await server.sql`select day::text as day from chat_usage order by day`).map(({ day }) => day);
  for (let look = 0; look < 400 && (await remainingDays()).length > 2; look += 1) await pause(50);
  assert.deepEqual(await remainingDays(), ['2026-02-27', '2026-03-01']);
});
