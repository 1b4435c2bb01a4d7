/** The widget's visitors: several tabs, browsers and sign-ins of one person, and their storage. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage } from '../harness/browser.ts';
import { hashOf, openServer, openShop, widgetOn } from './shop.ts';

test('the visitors of the widget', async (suite) => {
  const server = await openServer(suite);

  await suite.test('two tabs of one visitor share messages and read receipts', async (t) => {
    const shop = await openShop(t, server);
    const { page, context, watch, errors } = await openPage(t);
    const [first, second] = [widgetOn(page), watch(await context.newPage())];
    await page.goto(shop.page());
    await second.goto(shop.page());
    await widgetOn(second).launcher.waitFor();
    await first.open();
    await first.write('from the first tab');
    await page.getByText('Sent').waitFor();
    await page.getByRole('button', { name: 'Close chat' }).first().click();
    await shop.answer('to both');
    for (const tab of [page, second])
      await tab.getByRole('button', { name: 'Open chat (1 unread message)' }).waitFor();
    await second.bringToFront();
    await widgetOn(second).open();
    assert.deepEqual(await widgetOn(second).texts(), ['from the first tab', 'to both']);
    await page.getByRole('button', { name: 'Open chat', exact: true }).waitFor();
    await widgetOn(second).write('from the second tab');
    await page.bringToFront();
    await first.open();
    await first.message('from the second tab').waitFor();
    assert.equal(await shop.visitors(), 1);
    assert.deepEqual(errors, []);
  });

  await suite.test(
    'an identified customer has one chat in all browsers, which is hidden after a sign-out',
    async (t) => {
      const shop = await openShop(t, server);
      const attributes = {
        'data-identifier': 'customer-7',
        'data-identifier-hash': hashOf('customer-7'),
        'data-name': 'Ai',
      };
      const { page } = await openPage(t);
      await page.goto(shop.page({ attributes }));
      await widgetOn(page).open();
      await widgetOn(page).send('it is me');
      const { page: elsewhere } = await openPage(t);
      await elsewhere.goto(shop.page());
      await widgetOn(elsewhere).launcher.waitFor();
      const identity = { identifier: 'customer-7', identifierHash: hashOf('customer-7') };
      await elsewhere.evaluate(
        `window.shoalChat.identify(${JSON.stringify(identity)}); window.shoalChat.open()`,
      );
      await widgetOn(elsewhere).message('it is me').waitFor();
      assert.equal(await shop.visitors(), 1);
      await page.goto(shop.page());
      await widgetOn(page).open();
      await page.getByText('How can we help?').waitFor();
      assert.deepEqual(await widgetOn(page).texts(), []);
    },
  );

  await suite.test('a wrong hash opens no chat, and a chat only for customers asks to sign in', async (t) => {
    const shop = await openShop(t, server, { identityRequired: true });
    const { page } = await openPage(t);
    const messages: string[] = [];
    page.on('console', (message) => message.type() === 'error' && messages.push(message.text()));
    const wrong = { 'data-identifier': 'customer-7', 'data-identifier-hash': hashOf('customer-8') };
    await page.goto(shop.page({ attributes: wrong }));
    await widgetOn(page).open();
    await page.getByText('The chat is not available at the moment.').waitFor();
    assert.equal(await widgetOn(page).field.isDisabled(), true);
    assert.match(messages.join(), /IDENTITY_INVALID/);
    await page.goto(shop.page());
    await widgetOn(page).open();
    await page.getByText('Please sign in on this site to chat with us.').waitFor();
  });

  await suite.test('without storage the chat works until the page is closed', async (t) => {
    const shop = await openShop(t, server);
    const { page, errors } = await openPage(t);
    await page.addInitScript(
      `for (const name of ['localStorage', 'sessionStorage'])
       Object.defineProperty(window, name, { get() { throw new DOMException('refused', 'SecurityError'); } })`,
    );
    await page.goto(shop.page());
    await widgetOn(page).open();
    await widgetOn(page).send('hello');
    await shop.answer('hello, too');
    await widgetOn(page).message('hello, too').waitFor();
    assert.deepEqual(errors, []);
  });

  await suite.test('a deleted visitor starts a new chat', async (t) => {
    const shop = await openShop(t, server);
    const { page } = await openPage(t);
    await page.goto(shop.page());
    await widgetOn(page).open();
    await widgetOn(page).send('forget me');
    const before = await shop.visitorId();
    await server.sql`delete from chat_messages where bot_id = ${shop.botId}`;
    await server.sql`delete from chat_visitors where bot_id = ${shop.botId}`;
    await page.reload();
    await page.getByText('How can we help?').waitFor();
    await widgetOn(page).send('hello again');
    assert.deepEqual(await widgetOn(page).texts(), ['hello again']);
    assert.notEqual(await shop.visitorId(), before);
  });
});
