import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { createAdminToken } from '../src/auth/admin-tokens.ts';
import { newWidgetKey } from '../src/bots/widget-keys.ts';
import type { Clock } from '../src/time.ts';
import { testServer } from '../tests/harness/server.ts';
import { SeededRandom } from './events/random.ts';
import { type ChatAccess, SimulatedChat } from './live-chat.ts';
import { startShopPage } from './shop-page.ts';

const origin = 'http://shop.example';

test('visitors write, the bot answers each once, and each message is read once', async (t) => {
  const { chat, access } = await chatOf(t);
  for (let turn = 0; turn < 6; turn += 1) await chat.write(Date.now());
  const answered = await chat.answer(Date.now());
  assert.ok(answered >= 1 && answered <= 4);
  assert.equal(await chat.answer(Date.now()), 0);
  const events = await chat.events();
  const count = (kind: string) => events.filter((event) => event.kind === kind).length;
  assert.deepEqual([count('message'), count('answer')], [6, answered]);
  await chat.write(Date.now());
  assert.equal((await chat.events()).length, events.length + 1);
  // A new reader returns the same messages.
  assert.equal((await new SimulatedChat(access, new SeededRandom(1)).events()).length, events.length + 1);
});

test('a visitor whose message is refused does not return, others do', async (t) => {
  const { chat, server, botId } = await chatOf(t);
  await chat.write(Date.now());
  await server.folded();
  await server.sql`update contacts set blocked = true where bot_id = ${botId}`;
  let refusals = 0;
  for (let turn = 0; turn < 12; turn += 1) await chat.write(Date.now()).catch(() => (refusals += 1));
  assert.equal(refusals, 1);
});

test('a past conversation has its own time, answers of the bot and of an agent, and is closed', async (t) => {
  const time = { now: Date.parse('2026-03-01T10:00:00Z') };
  const { chat, server } = await chatOf(t, () => time.now);
  for (let turn = 0; turn < 6; turn += 1)
    await chat.converse(
      () => time.now,
      (ms) => {
        time.now += ms;
      },
    );
  const senders = await server.sql<{ sender: string; first: Date; last: Date }[]>`
    select sender, min(sent_at) as first, max(sent_at) as last from chat_messages group by sender order by sender`;
  assert.deepEqual(
    senders.map(({ sender }) => sender),
    ['agent', 'bot', 'visitor'],
  );
  for (const { first, last } of senders) {
    assert.ok(first.getTime() >= Date.parse('2026-03-01T10:00:00Z') && last.getTime() <= time.now);
  }
});

test('the shop’s page has the widget, under a policy that allows nothing else', async () => {
  const page = await startShopPage(() => ({
    src: 'http://127.0.0.1:9/live-chat/widget.js',
    widgetKey: 'key',
  }));
  try {
    const response = await fetch(page.origin);
    assert.match(
      await response.text(),
      /<script src="http:\/\/127\.0\.0\.1:9\/live-chat\/widget\.js" data-widget-key="key"/,
    );
    assert.match(String(response.headers.get('content-security-policy')), /^default-src 'none';/);
  } finally {
    await page.close();
  }
});

async function chatOf(t: TestContext, clock: Clock = Date.now) {
  const server = await testServer(t, {}, { clock });
  const { botId } = await server.addBot();
  const widgetKey = newWidgetKey(randomBytes);
  await server.addChannel(botId, { platform: 'liveChat', secret: widgetKey, allowedOrigins: [origin] });
  const rights = { name: 'test', scope: 'write' as const, botIds: [botId] };
  const { token: adminToken } = await createAdminToken(server.sql, rights, {
    now: clock(),
    random: randomBytes,
  });
  const access: ChatAccess = { address: server.address, botId, adminToken, widgetKey, origin };
  return { chat: new SimulatedChat(access, new SeededRandom(7)), access, server, botId };
}
