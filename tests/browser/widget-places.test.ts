/** The widget on unusual pages: replaced by scripts, sandboxed, old browsers, Arabic, a refused origin, failing calls. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage } from '../harness/browser.ts';
import { hashOf, openServer, openShop, openWidget, widgetOn } from './shop.ts';

const launchers = `[...document.querySelectorAll('shoal-chat')]
  .filter((host) => host.shadowRoot?.querySelector('.launcher')).length`;
/** Runs the script line of a new body, like Turbo. */
const runLine = (attributes: Record<string, string> = {}) => `{
  const old = document.querySelector('script[data-widget-key]');
  const script = document.createElement('script');
  for (const { name, value } of old.attributes) script.setAttribute(name, value);
  for (const [name, value] of Object.entries(${JSON.stringify(attributes)})) script.setAttribute(name, value);
  const loaded = new Promise((resolve) => { script.onload = resolve; });
  const body = document.createElement('body');
  body.innerHTML = '<h1>Next page</h1>';
  body.append(script);
  document.body.replaceWith(body);
  loaded;
}`;

test('the widget in unusual places', async (suite) => {
  const server = await openServer(suite);

  await suite.test('after a script replaces the body, one launcher and the same chat remain', async (t) => {
    const { shop, widget, page, errors } = await openWidget(t, server);
    await widget.send('before');
    for (const change of [
      runLine(),
      runLine(),
      'document.body.replaceWith(document.body.cloneNode(true)); null',
      "document.body.innerHTML = '<h1>PJAX</h1>'; null",
      'document.startViewTransition(() => document.body.replaceChildren()).finished.then(() => null)',
    ]) {
      await page.evaluate(change);
      await page.waitForFunction(
        `${launchers} === 1 && document.querySelectorAll('shoal-chat').length === 1`,
      );
      await widget.message('before').waitFor();
    }
    await page.evaluate('window.shoalChat.close()');
    await widget.dialog.waitFor({ state: 'detached' });
    await page.evaluate(
      'document.body.remove(); document.documentElement.append(document.createElement("body"))',
    );
    await page.waitForFunction(`${launchers} === 1`);
    await page.evaluate('window.shoalChat.open()');
    await widget.write('after');
    await widget.message('after').waitFor();
    await page.getByText('Sent').waitFor();
    assert.equal(await shop.visitors(), 1);
    assert.deepEqual(errors, []);
  });

  await suite.test(
    'a script line that runs again with another customer, or without one, switches the chat',
    async (t) => {
      const shop = await openShop(t, server);
      const { page } = await openPage(t);
      const widget = widgetOn(page);
      const attributes = { 'data-identifier': 'C-1', 'data-identifier-hash': hashOf('C-1') };
      await page.goto(shop.page({ attributes }));
      await widget.open();
      await widget.send('from C-1');
      const other = { 'data-identifier': 'C-2', 'data-identifier-hash': hashOf('C-2') };
      await page.evaluate(runLine(other));
      await widget.message('from C-1').waitFor({ state: 'detached' });
      await widget.send('from C-2');
      await page.evaluate(runLine({ 'data-identifier': '', 'data-identifier-hash': '' }));
      await widget.message('from C-2').waitFor({ state: 'detached' });
    },
  );

  await suite.test('the chat works in a sandboxed frame without locks and storage', async (t) => {
    const shop = await openShop(t, server);
    const { page, errors } = await openPage(t);
    await page.goto(shop.page({ sandbox: 'allow-scripts' }));
    const frame = page.frameLocator('iframe');
    await frame.getByRole('button', { name: /^Open chat/ }).click();
    const field = frame.getByRole('textbox', { name: 'Message' });
    await field.fill('from the sandbox');
    await field.press('Enter');
    await frame.getByText('Sent').waitFor();
    assert.deepEqual(errors, []);
  });

  await suite.test('a browser without constructable style sheets shows the same launcher', async (t) => {
    const shop = await openShop(t, server);
    const sizes: unknown[] = [];
    for (const isOld of [false, true]) {
      const { page, errors } = await openPage(t);
      if (isOld) await page.addInitScript('window.CSSStyleSheet = undefined');
      await page.goto(shop.page());
      await widgetOn(page).launcher.waitFor();
      sizes.push(await widgetOn(page).launcher.boundingBox());
      assert.deepEqual(errors, []);
    }
    assert.deepEqual(sizes[1], sizes[0]);
  });

  await suite.test(
    'on an Arabic page each message has its own direction, and the widget stays left to right',
    async (t) => {
      const { shop, widget, page } = await openWidget(t, server, {
        page: { lang: 'ar', dir: 'rtl', attributes: { 'data-language': 'en' } },
      });
      await widget.send('مرحبا، هل لديكم هذا؟');
      await shop.answer('Yes, we do.');
      await widget.message('Yes, we do.').waitFor();
      const directions = await page
        .locator('.bubble')
        .evaluateAll((bubbles) => bubbles.map((bubble) => bubble.matches(':dir(rtl)')));
      assert.deepEqual(directions, [true, false]);
      assert.equal(await widget.dialog.evaluate((dialog) => dialog.matches(':dir(ltr)')), true);
      await widget.field.fill('شكرا');
      assert.equal(await widget.field.evaluate((field) => field.matches(':dir(rtl)')), true);
    },
  );

  await suite.test('a page of a refused origin logs the remedy on the console, and calls once', async (t) => {
    const shop = await openShop(t, server, { allowedOrigins: ['https://shop.example'] });
    const { page, errors } = await openPage(t);
    const calls: string[] = [];
    page.on('response', (response) => {
      if (response.url().endsWith('/session'))
        calls.push(`${response.request().method()} ${response.status()}`);
    });
    await page.goto(shop.page());
    await widgetOn(page).launcher.click();
    await page.getByText('The chat is not available at the moment.').waitFor();
    const { origin } = new URL(shop.page());
    const messages = errors.filter((error) => error.startsWith('Shoal live chat:'));
    assert.equal(messages.length, 1, errors.join('\n'));
    assert.ok(messages[0]?.includes(`Origin ${origin} is not allowed for this live chat.`));
    assert.ok(messages[0]?.includes(`--allowed-origin ${origin}`));
    assert.deepEqual(calls, ['POST 403']);
  });

  await suite.test('a message whose call failed is retried while the socket stays open', async (t) => {
    const { shop, widget, page } = await openWidget(t, server);
    await widget.send('first');
    for (const fail of ['abort', 503] as const) {
      let failed = 0;
      await page.route(/\/messages$/, (route) => {
        failed += 1;
        return fail === 'abort' ? route.abort('internetdisconnected') : route.fulfill({ status: fail });
      });
      await widget.write(`again after ${fail}`);
      await page.getByRole('button', { name: 'Try again' }).waitFor();
      await page.waitForFunction('true');
      while (failed < 2) await page.waitForTimeout(50);
      await page.unroute(/\/messages$/);
      await page.getByRole('button', { name: 'Try again' }).waitFor({ state: 'detached' });
      await page.getByText('Sent').waitFor();
    }
    const rows = await server.sql<{ text: string }[]>`
      select text from chat_messages where bot_id = ${shop.botId} order by sequence`;
    assert.deepEqual(
      rows.map(({ text }) => text),
      ['first', 'again after abort', 'again after 503'],
    );
  });
});
