/**
 * The agents' page of live chat in a real browser against the real server: the list, the open chat and its actions, several agents at
 * once, and two server processes on one database, one of them killed during a chat.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ulid } from 'ulid';
import { createAdminToken } from '../../src/auth/admin-tokens.ts';
import type { Sql } from '../../src/database/client.ts';
import { type OpenedPage, openPage, type PageOptions, phone, screenshot } from '../harness/browser.ts';
import { databaseEnvironment, type Serving, serve, shoalJson } from '../harness/cli.ts';
import { assertSound, settled } from '../harness/dashboard-page.ts';
import { addLiveChat, visit } from '../harness/live-chat.ts';
import { seededBytes } from '../harness/random.ts';
import { testServer } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { servePage, widgetOn } from './shop.ts';

type Shop = { address: string; sql: Sql; botId: string; widgetKey: string };
type Visitor = Awaited<ReturnType<typeof visit>>;

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const agentNames = ['mei', 'ken'] as const;
const password = 'correct horse battery staple';

test('an agent reads, answers by keyboard, and sees the visitor’s state', async (t) => {
  const shop = await openShop(t);
  const visitor = await visit(shop.address, shop.widgetKey, { name: '陳小美', language: 'zh-Hant' });
  await visitor.send('請問今天可以出貨嗎？');
  const opened = await openDesk(t, shop, 'mei');
  const { page } = opened;
  const row = page.locator('.chat-row', { hasText: '陳小美' });
  await row.waitFor();
  assert.match((await row.textContent()) ?? '', /請問今天可以出貨嗎？.*1 unread/);
  await until(async () => (await page.title()) === '(1) Live chat · Shoal');
  const socket = visitor.socket();
  await socket.until(({ frames }) => frames.some(({ type }) => type === 'ready'));
  await page.locator('.chat-row .avatar-online').waitFor();

  await row.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('log').getByText('請問今天可以出貨嗎？').waitFor();
  await socket.until(({ frames }) => frames.some(({ type }) => type === 'seen'));
  await until(async () => (await page.title()) === 'Live chat · Shoal');
  await page.getByLabel('Your message').focus();
  await page.keyboard.type('可以的');
  await socket.until(({ frames }) => frames.some(({ type, on }) => type === 'typing' && on === true));
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('下午五點前下單');
  await page.keyboard.press('Enter');
  await socket.until((now) => now.messages().some(({ text }) => text === '可以的\n下午五點前下單'));
  assert.deepEqual(
    socket.messages().map(({ from, agentName }) => [from, agentName]),
    [
      ['visitor', null],
      ['agent', 'mei'],
    ],
  );
  await visitor.call('seen', { body: { sequence: 2 } });
  await page.getByRole('log').getByText('Seen').waitFor();
  socket.send({ type: 'typing', on: true });
  await page.getByRole('log').getByText('The visitor is typing…').waitFor();
  await visitor.send('謝謝！詳情（https://shop.example/a）看到了');
  await page.getByRole('log').getByRole('link', { name: 'https://shop.example/a' }).waitFor();
  assert.equal(await page.getByText('The visitor is typing…').count(), 0);

  await page.getByRole('button', { name: 'Quick replies' }).click();
  await page.getByPlaceholder('Button text for the visitor').fill('要');
  await page.keyboard.press('Enter');
  await page.getByPlaceholder('Button text for the visitor').fill('不用');
  await page.keyboard.press('Enter');
  await page.getByLabel('Your message').fill('需要發票嗎？');
  await screenshot(page, 'chat-composing');
  await page.getByText('Internal notes (0)').click();
  await page.getByLabel('Note', { exact: true }).fill('Needs an invoice');
  await page.getByRole('button', { name: 'Add note' }).click();
  await page.getByText('Internal notes (1)').waitFor();
  await page.locator('.chat-notes', { hasText: 'Needs an invoice' }).waitFor();
  await page.getByLabel('Assigned to').selectOption({ label: 'mei' });
  await row.locator('.tag', { hasText: 'mei' }).waitFor();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await socket.until((now) => now.messages().some(({ quickReplies }) => String(quickReplies) === '要,不用'));
  await page.getByLabel('Send an image').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: png });
  await socket.until((now) => now.messages().some(({ kind }) => kind === 'image'));
  await visitor.call(`images?messageId=${ulid()}`, { body: png, headers: { 'content-type': 'image/png' } });
  const images = page.locator('.log .bubble-image img');
  await until(async () => {
    const widths = await images.evaluateAll((all) => all.map((image) => Reflect.get(image, 'naturalWidth')));
    return widths.join() === '1,1';
  });
  const seenByVisitor = JSON.stringify([socket.frames, (await visitor.call('messages')).body]);
  assert.doesNotMatch(seenByVisitor, /invoice"|assignee|note/);
  await assertSound(opened, shop.address);
  await screenshot(page, 'chat-desk');
});

test('a chat is closed, opened, blocked and unblocked, found and filtered, by two agents at once', async (t) => {
  const shop = await openShop(t);
  const [one, other] = [await person(shop, 'Anna'), await person(shop, 'Bert')];
  await one.send('hello');
  await other.send('good day');
  const mei = await openDesk(t, shop, 'mei');
  const ken = await openDesk(t, shop, 'ken');
  await mei.page.locator('.chat-row', { hasText: 'Bert' }).focus();
  await mei.page.keyboard.press('ArrowDown');
  await mei.page.keyboard.press('Enter');
  await mei.page.getByRole('log').getByText('hello').waitFor();
  await ken.page.locator('.chat-row', { hasText: 'Anna' }).click();
  await mei.page.getByLabel('Your message').fill('hi, this is');
  await ken.page.getByText('mei is typing an answer…').waitFor();
  await mei.page.getByLabel('Your message').press('Enter');
  await ken.page.getByRole('log').getByText('hi, this is').waitFor();
  assert.equal(await ken.page.getByRole('log').getByText('mei', { exact: true }).count(), 1);

  await mei.page.getByRole('button', { name: 'Close chat' }).click();
  await ken.page.getByRole('button', { name: 'Reopen chat' }).waitFor();
  await mei.page.getByRole('button', { name: 'Closed', exact: true }).click();
  await mei.page.waitForURL('**state=closed**');
  await mei.page.locator('.chat-row', { hasText: 'Bert' }).waitFor({ state: 'detached' });
  await ken.page.getByRole('button', { name: 'Reopen chat' }).click();
  await mei.page.getByRole('button', { name: 'Close chat' }).waitFor();

  await settledContact(shop, one);
  await mei.page.getByRole('button', { name: 'Block', exact: true }).click();
  await mei.page.getByRole('dialog').getByRole('button', { name: 'Block', exact: true }).click();
  await ken.page.getByRole('button', { name: 'Unblock' }).waitFor();
  assert.equal((await one.send('unblock me')).status, 403);
  await ken.page.getByRole('button', { name: 'Unblock' }).click();
  await mei.page.getByRole('button', { name: 'Block', exact: true }).waitFor();
  assert.equal((await one.send('thanks')).status, 201);
  await mei.page.getByRole('log').getByText('thanks').waitFor();

  await ken.page.getByRole('searchbox').fill('bert');
  await ken.page.waitForURL('**search=bert**');
  await ken.page.locator('.chat-row', { hasText: 'Bert' }).waitFor();
  await ken.page.locator('.chat-row', { hasText: 'Anna' }).waitFor({ state: 'detached' });
  for (const opened of [mei, ken]) await assertSound(opened, shop.address);
});

test('after one of two server processes is killed during a chat, no message is lost or repeated', async (t) => {
  const { shop, ways, servers } = await openTwo(t);
  const opened = await openDesk(t, shop, 'mei');
  const { page } = opened;
  const visiting = await openPage(t);
  const widget = widgetOn(visiting.page);
  await visiting.page.goto(await servePage(t, ways.visitor.address, shop.widgetKey));
  await widget.open();
  const said: string[] = [];
  const answer = page.getByLabel('Your message');
  const visitorSays = async (text: string) => {
    said.push(text);
    await widget.write(text);
  };
  const agentSays = async (text: string) => {
    said.push(text);
    await answer.fill(text);
    await answer.press('Enter');
  };
  await visitorSays('question 1');
  await page.locator('.chat-row').click();
  await page.getByRole('log').getByText('question 1').waitFor();
  await agentSays('answer 1');
  await widget.message('answer 1').waitFor();

  // The agent's process is killed while both continue to write.
  const [agents, visitors] = servers;
  const killed = agents.kill();
  for (let round = 2; round <= 5; round += 1) {
    await agentSays(`answer ${round}`);
    await visitorSays(`question ${round}`);
  }
  await killed;
  await page.getByText('Connection lost').waitFor();
  ways.agent.lead(visitors);
  await page.getByRole('log').getByText('question 5').waitFor();
  await widget.message('answer 5').waitFor();
  await page.locator('.bubble-unsent').first().waitFor({ state: 'detached' });
  await page.getByText('Connection lost').waitFor({ state: 'detached' });
  // After the reconnect, exactly the messages of the outage arrive.
  ways.agent.lead(null);
  await page.getByText('Connection lost').waitFor();
  await visitorSays('question 6');
  await until(async () => (await shop.sql`select from chat_messages`).length === said.length);
  ways.agent.lead(visitors);
  await page.getByRole('log').getByText('question 6').waitFor();
  await page.getByText('Connection lost').waitFor({ state: 'detached' });
  // New messages arrive by the socket again, not only by polling.
  await widget.field.pressSequentially('And');
  await page.getByRole('log').getByText('The visitor is typing…').waitFor();

  const stored = await shop.sql`select text from chat_messages order by sequence`;
  const texts = stored.map(({ text }) => String(text));
  assert.deepEqual([...texts].sort(), [...said].sort());
  assert.deepEqual(await page.locator('.log .bubble').allTextContents(), texts);
  assert.deepEqual(await widget.texts(), texts);
  const inOrderOf = (who: string) => texts.filter((text) => text.startsWith(who));
  assert.deepEqual(
    inOrderOf('answer'),
    [1, 2, 3, 4, 5].map((round) => `answer ${round}`),
  );
  assert.deepEqual(
    inOrderOf('question'),
    [1, 2, 3, 4, 5, 6].map((round) => `question ${round}`),
  );
  // The browser logs the unanswered requests; there is no other error.
  for (const error of opened.errors) assert.match(error, /ERR_|WebSocket/);
  assert.deepEqual(visiting.errors, []);
});

test('a new message shows on every page, in the tab’s title, and as a sound and a notification that an agent turned on', async (t) => {
  const shop = await openShop(t);
  const visitor = await visit(shop.address, shop.widgetKey);
  await visitor.send('How long is delivery?');
  const { page, context, ...opened } = await openDesk(t, shop, 'mei');
  const row = page.locator('.chat-row');
  await row.locator('.chat-name', { hasText: /^[A-Z][a-z]+ [A-Z][a-z]+ [1-9][0-9]$/ }).waitFor();
  const name = (await row.locator('.chat-name').textContent()) ?? '';
  assert.equal(await page.getByRole('button', { name: 'Sound' }).getAttribute('aria-pressed'), 'false');
  await context.addInitScript(recordNotifications);
  await page.reload();
  await page.getByRole('button', { name: 'Sound' }).click();
  await page.getByRole('button', { name: 'Notifications' }).click();
  await page.locator('[aria-pressed="true"]', { hasText: 'Notifications' }).waitFor();
  await row.click();
  await page.getByLabel('Your message').fill('Two days.');
  await page.getByLabel('Your message').press('Enter');
  await row.getByText('How long is delivery?').waitFor();
  await settledContact(shop, visitor);
  await visitor.send('Thanks');
  const contact = page.getByRole('link', { name: 'Contact', exact: true });
  await contact.waitFor();
  // A page that closes earlier leaves the message unread.
  await until(async () => (await shop.sql`select from chat_visitors where seen_by_business = 3`).length > 0);
  await contact.click();
  await page.waitForURL('**/contacts?contact=**');
  await until(async () => !(await page.title()).startsWith('('));
  await visitor.send('One more question');
  const link = page.getByRole('link', { name: 'Live chat 1 unread' });
  await link.waitFor();
  await until(async () => (await page.title()).startsWith('(1) '));
  await until(async () => (await page.evaluate<string[]>('shown')).includes(`${name}: One more question`));
  await assertSound({ page, context, ...opened }, shop.address);
  await link.click();
  await row.click();
  await page.getByRole('log').getByText('One more question').waitFor();
  await link.waitFor({ state: 'detached' });
});

test('on a phone, in dark mode and Traditional Chinese, the page shows the list, the chat, and the list again', async (t) => {
  const shop = await openShop(t);
  const visitor = await person(shop, '陳小美');
  await visitor.send('請問有現貨嗎？');
  const options = { locale: 'zh-TW', viewport: phone, colorScheme: 'dark' } as const;
  const opened = await openDesk(t, shop, 'mei', options);
  const { page } = opened;
  await page.locator('.chat-row').waitFor();
  await screenshot(page, 'chat-phone-list');
  await assertSound(opened, shop.address);
  await page.locator('.chat-row').click();
  await page.getByRole('log').getByText('請問有現貨嗎？').waitFor();
  await screenshot(page, 'chat-phone');
  await assertSound(opened, shop.address);
  await page.getByRole('link', { name: '返回列表' }).click();
  await page.locator('.chat-row').waitFor();
});

test('without chats the page explains the set-up, and a reader cannot write', async (t) => {
  const shop = await openShop(t);
  const empty = await openDesk(t, shop, 'mei');
  await empty.page.getByText('No open chats').waitFor();
  await screenshot(empty.page, 'chat-empty');
  await assertSound(empty, shop.address);
  const visitor = await person(shop, 'Anna');
  await visitor.send('hello');
  const opened = await openDesk(t, shop, 'ken', { scope: 'read' });
  await opened.page.locator('.chat-row').click();
  await opened.page.getByRole('log').getByText('hello').waitFor();
  assert.equal(await opened.page.getByLabel('Your message').count(), 0);
  assert.equal(await opened.page.getByRole('button', { name: 'Close chat' }).count(), 0);
  await assertSound(opened, shop.address);
});

/** Replaces the browser's notifications, which a window without a screen does not show. */
const recordNotifications = `
  globalThis.shown = [];
  globalThis.Notification = class {
    static permission = 'default';
    static async requestPermission() { return (this.permission = 'granted'); }
    constructor(title, { body }) { shown.push(title + ': ' + body); }
  };`;

async function openShop(t: TestContext): Promise<Shop> {
  const server = await testServer(t, { adminRateLimit: 0 });
  return { address: server.address, sql: server.sql, ...(await addLiveChat(server)) };
}

function person({ address, widgetKey }: Shop, name: string): Promise<Visitor> {
  return visit(address, widgetKey, { name });
}

/** Two processes on one database, one for the agent and one for visitors, each behind a proxy that can switch to the other. */
async function openTwo(t: TestContext) {
  const target = await databaseEnvironment(t);
  const { botId } = await shoalJson(target, 'bot', 'create', '--name', 'Shop');
  const { widgetKey } = await shoalJson(target, 'channel', 'set', String(botId), 'liveChat');
  const servers = await Promise.all([serve(target), serve(target)]);
  const [agents, visitors] = servers;
  const ways = { agent: await openWay(t, agents), visitor: await openWay(t, visitors) };
  const { address } = ways.agent;
  const shop = { address, sql: target.sql, botId: String(botId), widgetKey: String(widgetKey) };
  return { shop, servers, ways };
}

/** A proxy: one address that forwards to the selected server, or to none. */
async function openWay(t: TestContext, first: Serving) {
  let target: URL | null = new URL(first.address);
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    if (target === null) {
      client.destroy();
      return;
    }
    const server = connect(Number(target.port), target.hostname);
    for (const [socket, peer] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => peer.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        peer.destroy();
      });
      socket.pipe(peer);
    }
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.after(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    address: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    lead(server: Serving | null) {
      target = server && new URL(server.address);
      if (server === null) for (const socket of sockets) socket.destroy();
    },
  };
}

/** A contact exists after its first message was counted; the page shows the button with the next change of the chat. */
async function settledContact({ sql }: Shop, visitor: Visitor): Promise<void> {
  await until(
    async () => (await sql`select from contacts where platform_contact_id = ${visitor.visitorId}`).length > 0,
  );
}

/** Opens the page, signed in as a user of that name. */
async function openDesk(
  t: TestContext,
  shop: Shop,
  name: (typeof agentNames)[number],
  { scope = 'write', ...options }: PageOptions & { scope?: 'read' | 'write' } = {},
): Promise<OpenedPage> {
  const dependencies = { now: Date.now(), random: seededBytes(agentNames.indexOf(name) + 20) };
  const { token } = await createAdminToken(
    shop.sql,
    { name: 'tests', scope: 'admin', botIds: null },
    dependencies,
  );
  const user = { name, scope, botIds: null, password };
  const response = await fetch(`${shop.address}/api/v1/users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(user),
  });
  assert.equal(response.status, 201, await response.text());
  const opened = await openPage(t, options);
  const session = await opened.context.request.post(`${shop.address}/api/v1/session`, {
    data: { userName: name, password },
  });
  assert.equal(session.status(), 200);
  await opened.page.goto(`${shop.address}/bots/${shop.botId}/live-chat`);
  await settled(opened.page);
  return opened;
}
