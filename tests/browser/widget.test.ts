/** The widget in a real browser, on a page of another origin, against a real server: messages arrive once, in both directions. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type RunningServer, startServer } from '../../src/server/server.ts';
import { openPage } from '../harness/browser.ts';
import { openSocket } from '../harness/live-chat.ts';
import { openServer, openShop, openWidget, type Shop, widgetOn } from './shop.ts';

/** 10 × 6 pixels of one red. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAGCAIAAAB1kpiRAAAAEUlEQVR4nGM4IWeDBzEMXmkA1ApD+ZK5hVQAAAAASUVORK5CYII=',
  'base64',
);

test('the widget on a page of another origin', async (suite) => {
  const server = await openServer(suite);

  await suite.test(
    'a visitor and an agent exchange messages, typing indicators and read receipts',
    async (t) => {
      const { shop, widget, page, errors, origins } = await openWidget(t, server, { page: { strict: true } });
      await widget.send('Do you have it in blue?');
      const agent = await agentSocket(shop);
      await widget.field.pressSequentially('And');
      await agent.until(({ frames }) =>
        frames.some(({ type, from, on }) => type === 'typing' && from === 'visitor' && on),
      );
      agent.send({ type: 'typing', visitorId: await shop.visitorId(), on: true });
      await page.getByText('is typing…').waitFor();
      await shop.agent('seen', { sequence: 1 });
      await page.getByText('Seen').waitFor();
      await shop.answer('Yes: https://shop.example/blue <b>now</b>');
      await page.getByText('is typing…').waitFor({ state: 'detached' });
      await widget.message('Mei').waitFor();
      assert.deepEqual(await widget.texts(), [
        'Do you have it in blue?',
        'Yes: https://shop.example/blue <b>now</b>',
      ]);
      const link = page.getByRole('link', { name: 'https://shop.example/blue' });
      assert.deepEqual(
        [await link.getAttribute('href'), await link.getAttribute('rel'), await link.getAttribute('target')],
        ['https://shop.example/blue', 'noopener noreferrer', '_blank'],
      );
      await agent.until(({ frames }) =>
        frames.some(({ type, by, sequence }) => type === 'seen' && by === 'visitor' && sequence === 2),
      );
      agent.close();
      assert.deepEqual(errors, []);
      assert.deepEqual([...origins].sort(), [shop.server.address, new URL(shop.page()).origin].sort());
    },
  );

  await suite.test('the widget calls the server only after the visitor opens the chat', async (t) => {
    const shop = await openShop(t, server);
    const { page } = await openPage(t);
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    await page.goto(shop.page());
    await widgetOn(page).launcher.waitFor();
    assert.deepEqual(requests, ['/', '/live-chat/widget.js']);
    assert.equal(await shop.visitors(), 0);
  });

  await suite.test(
    'a reload keeps the chat open with its history, and scrolling up loads older messages',
    async (t) => {
      const { shop, widget, page, errors } = await openWidget(t, server);
      await widget.send('first');
      for (let number = 1; number <= 70; number += 1) await shop.answer(`answer ${number}`);
      await page.reload();
      await widget.message('answer 70').waitFor();
      assert.equal((await widget.texts()).length, 50);
      assert.equal(await page.evaluate('document.activeElement === document.body'), true);
      await widget.log.evaluate((log) => log.scrollTo({ top: 0 }));
      await widget.message('first').waitFor();
      assert.equal((await widget.texts()).length, 71);
      // The visible messages have not moved.
      const [box, read] = await Promise.all([
        widget.log.boundingBox(),
        widget.message('answer 22').boundingBox(),
      ]);
      assert.ok(box && read && read.y >= box.y && read.y < box.y + box.height);
      // At the end, the log stays there when the composer grows.
      await page.getByRole('button', { name: 'Go to newest message' }).click();
      await widget.field.fill('a long text '.repeat(40));
      await page.waitForFunction(`{
      const { shadowRoot } = document.querySelector('shoal-chat');
      const { scrollHeight, scrollTop, clientHeight } = shadowRoot.querySelector('.log');
      shadowRoot.querySelector('textarea').clientHeight > 100 && scrollHeight - scrollTop - clientHeight < 2;
    }`);
      assert.deepEqual(errors, []);
    },
  );

  await suite.test(
    'after a server restart, missed messages arrive and unsent ones are sent once',
    async (t) => {
      const { shop, widget, page } = await openWidget(t, await openServer(t));
      await widget.send('before');
      await shop.server.close();
      await page.getByText('Connection lost. Reconnecting…').waitFor();
      await widget.write('during the outage');
      await page.getByRole('button', { name: 'Try again' }).waitFor();
      await restart(t, shop);
      await shop.answer('missed');
      await widget.message('missed').waitFor();
      await page.getByText('Sent').waitFor();
      await page.getByText('Connection lost. Reconnecting…').waitFor({ state: 'detached' });
      assert.deepEqual((await storedTexts(shop)).sort(), ['before', 'during the outage', 'missed']);
      assert.deepEqual(await widget.texts(), await storedTexts(shop));
    },
  );

  await suite.test('a sent message does not hide earlier missed messages', async (t) => {
    const shop = await openShop(t, server);
    const { page } = await openPage(t);
    const widget = widgetOn(page);
    let isMuted = false;
    let cut = async (): Promise<void> => undefined;
    await page.routeWebSocket(/socket$/, (socket) => {
      const shoal = socket.connectToServer();
      shoal.onMessage((frame) => {
        if (!isMuted) socket.send(frame);
      });
      cut = () => socket.close({ code: 1012 });
    });
    await page.goto(shop.page());
    await widget.open();
    await widget.send('one');
    isMuted = true;
    await shop.answer('two');
    await widget.send('three');
    assert.deepEqual(await widget.texts(), ['one', 'three']);
    isMuted = false;
    await cut();
    await widget.message('two').waitFor();
    assert.deepEqual(await widget.texts(), ['one', 'two', 'three']);
  });

  await suite.test('retrying after a lost confirmation does not duplicate a message', async (t) => {
    const shop = await openShop(t, server);
    const { page } = await openPage(t);
    const widget = widgetOn(page);
    // Without the socket, which would deliver the message. The widget then retries.
    await page.addInitScript('delete window.WebSocket');
    let isCut = true;
    await page.route('**/messages', async (route) => {
      if (route.request().method() !== 'POST' || !isCut) return route.continue();
      await route.fetch();
      isCut = false;
      return route.abort();
    });
    await page.goto(shop.page());
    await widget.open();
    await widget.send('only once');
    assert.deepEqual(await storedTexts(shop), ['only once']);
    assert.deepEqual(await widget.texts(), ['only once']);
  });

  await suite.test('an unsent text survives a reload', async (t) => {
    const { shop, widget, page } = await openWidget(t, server);
    await widget.send('one');
    await page.route('**/messages', (route) =>
      route.request().method() === 'POST' ? route.abort() : route.continue(),
    );
    await widget.write('two');
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await page.unroute('**/messages');
    await page.reload();
    await page.getByText('Sent').waitFor();
    await widget.message('two').waitFor();
    assert.deepEqual(await storedTexts(shop), ['one', 'two']);
  });

  await suite.test('without sockets, new messages arrive by polling', async (t) => {
    const shop = await openShop(t, server);
    const { page, errors } = await openPage(t);
    const widget = widgetOn(page);
    await page.addInitScript('delete window.WebSocket');
    await page.goto(shop.page());
    await widget.open();
    await widget.send('hello');
    await shop.answer('by polling');
    await widget.message('by polling').waitFor();
    await page.getByText('Connection lost. Reconnecting…').waitFor({ state: 'detached' });
    assert.deepEqual(errors, []);
  });

  await suite.test(
    'a visitor over the daily limit sees a notice, and a smaller message is sent',
    async (t) => {
      const tight = await openServer(t, { chatVisitorBytes: 100 });
      const { shop, widget, page } = await openWidget(t, tight);
      await widget.send('x'.repeat(90));
      const agent = await agentSocket(shop);
      await widget.write('y'.repeat(20));
      await page.getByText('Today’s limit is reached. Please try again tomorrow.').waitFor();
      await widget.write('short');
      await widget.message('short').waitFor();
      await agent.until((socket) => socket.messages().some(({ text }) => text === 'short'));
      assert.deepEqual(await storedTexts(shop), ['x'.repeat(90), 'short']);
    },
  );

  await suite.test(
    'images are sent after an answer and shown after a reload; unacceptable ones are refused',
    async (t) => {
      const { shop, widget, page, errors } = await openWidget(t, server, { page: { strict: true } });
      const attach = page.getByRole('button', { name: 'Send an image' });
      await widget.send('Can I show you a photo?');
      assert.equal(await attach.isDisabled(), true);
      assert.equal(await attach.getAttribute('title'), 'You can send images after our first reply.');
      await shop.answer('Please do.');
      await widget.message('Please do.').waitFor();
      assert.equal(await attach.isDisabled(), false);
      const choose = (name: string, buffer: Buffer) =>
        page.locator('input[type=file]').setInputFiles({ name, mimeType: 'image/png', buffer });
      await choose('page.png', Buffer.from('<html>'));
      await page.getByText('Only PNG, JPEG, GIF and WebP images can be sent.').waitFor();
      await choose('large.png', Buffer.concat([png, Buffer.alloc(5 * 1024 * 1024)]));
      await page.getByText('The image is larger than 5 MB.').waitFor();
      await choose('small.png', png);
      await page.getByRole('button', { name: 'Image from You' }).waitFor();
      await page.getByText('Sent').waitFor();
      const { messageId } = await shop.server.sql`select message_id as "messageId" from chat_messages
          where bot_id = ${shop.botId} and image_type is not null`.then(([row]) => row ?? {});
      assert.ok(messageId, 'one message is stored');
      await shop.agent(`images?messageId=01KJPS05CJHW7EFBRYYCYAVDF5`, png, { 'content-type': 'image/png' });
      await page.reload();
      const [own, other] = [
        page.getByRole('button', { name: 'Image from You' }),
        page.getByRole('button', { name: /^Image from (?!You)/ }),
      ];
      for (const image of [own, other])
        assert.deepEqual(await pixelOf(image.locator('canvas')), [200, 30, 60, 255]);
      await other.click();
      await page.getByRole('button', { name: 'Close image' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Close image' }).waitFor({ state: 'detached' });
      await widget.field.waitFor();
      assert.deepEqual(errors, []);
    },
  );

  await suite.test(
    'a quick reply is sent by its button, and disappears after the next message',
    async (t) => {
      const { shop, widget, page } = await openWidget(t, server);
      await widget.send('hello');
      await shop.answer('Shall we send it?', {
        from: 'bot',
        agentName: undefined,
        quickReplies: ['Yes, please', 'No'],
      });
      await page.getByRole('button', { name: 'Yes, please' }).click();
      await page.getByText('Sent').waitFor();
      assert.equal(await page.getByRole('button', { name: 'No', exact: true }).count(), 0);
      assert.deepEqual(await widget.texts(), ['hello', 'Shall we send it?', 'Yes, please']);
    },
  );
});

async function agentSocket(shop: Shop) {
  const { server, botId } = shop;
  const socket = openSocket(`${server.address}/api/v1/bots/${botId}/chats/socket`, {
    type: 'hello',
    token: shop.token,
  });
  await socket.until(({ frames }) => frames.some(({ type }) => type === 'ready'));
  return socket;
}

/** Restarts the server on the same port. */
async function restart(t: TestContext, { server }: Shop): Promise<void> {
  const running: RunningServer = await startServer({
    ...server.config,
    port: Number(new URL(server.address).port),
  });
  t.after(() => running.close());
}

async function storedTexts({ server, botId }: Shop): Promise<string[]> {
  const rows = await server.sql<{ text: string }[]>`
    select text from chat_messages where bot_id = ${botId} order by sequence`;
  return rows.map(({ text }) => text);
}

function pixelOf(canvas: ReturnType<Page['locator']>): Promise<number[]> {
  return canvas.evaluate((element) => [...element.getContext('2d').getImageData(2, 2, 1, 1).data]);
}
