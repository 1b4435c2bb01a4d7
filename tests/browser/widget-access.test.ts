/**
 * The widget's accessibility: keyboard, screen readers, phones, languages, dark mode; and its size and isolation from the page.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Language, languages } from '../../widget/language.ts';
import { textsOf } from '../../widget/texts.ts';
import {
  desktop,
  findAccessibilityProblems,
  openPage,
  type PageOptions,
  phone,
  screenshot,
} from '../harness/browser.ts';
import { until } from '../harness/until.ts';
import { openServer, openShop, openWidget, widgetOn } from './shop.ts';

const bytesMax = 25 * 1024;

test('the widget is one file of at most 25 KB compressed, without eval', () => {
  const built = readFileSync(new URL('../../dist/widget/widget.js', import.meta.url));
  assert.ok(gzipSync(built).length <= bytesMax, `${gzipSync(built).length} bytes`);
  assert.doesNotMatch(built.toString(), /\beval\(|new Function\(|\bimport\(/);
});

const variants: [string, Language, PageOptions][] = [
  ['light', 'en', { viewport: desktop }],
  ['dark', 'ja', { viewport: desktop, colorScheme: 'dark' }],
  ['phone', 'zh-Hant', { viewport: phone }],
  ['phone-dark', 'en', { viewport: phone, colorScheme: 'dark' }],
];

test('the accessibility of the widget', async (suite) => {
  const server = await openServer(suite);

  await suite.test('the keyboard does everything, and the focus returns to where it was', async (t) => {
    const shop = await openShop(t, server);
    const { page, errors } = await openPage(t);
    const widget = widgetOn(page);
    await page.goto(shop.page({ strict: true }));
    await widget.launcher.waitFor();
    const focused = () =>
      page.evaluate(
        '(document.activeElement.shadowRoot ?? document).activeElement.ariaLabel ?? document.activeElement.textContent',
      );
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Buy');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Open chat');
    await page.keyboard.press('Enter');
    await widget.field.waitFor();
    assert.equal(await focused(), 'Message');
    await page.keyboard.type('two');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('lines');
    await page.keyboard.press('Enter');
    await page.getByText('Sent').waitFor();
    assert.deepEqual(await widget.texts(), ['two\nlines']);
    assert.equal(await widget.field.inputValue(), '');
    await shop.answer('Which one?', { quickReplies: ['This one', 'That one'] });
    const reply = page.getByRole('button', { name: 'That one' });
    await reply.waitFor();
    for (const _ of ['image', 'the other reply', 'this one']) await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await widget.message('That one').waitFor();
    await until(async () => (await server.sql`select from chat_messages`).length === 3);
    await shop.answer('In which size?', { quickReplies: ['Large'] });
    await page.getByRole('button', { name: 'Large' }).focus();
    await shop.answer('There is one left.');
    await page.getByRole('button', { name: 'Large' }).waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await widget.dialog.waitFor({ state: 'detached' });
    assert.equal(await focused(), 'Open chat');
    await page.getByRole('button', { name: 'Buy' }).focus();
    await page.evaluate('window.shoalChat.open()');
    await widget.field.waitFor();
    assert.equal(await focused(), 'Message');
    await page.evaluate('window.shoalChat.close()');
    await widget.dialog.waitFor({ state: 'detached' });
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Buy');
    assert.deepEqual(errors, []);
  });

  await suite.test('Enter during composition of an input method sends nothing', async (t) => {
    const { widget, page, context } = await openWidget(t, server);
    const keyboard = await context.newCDPSession(page);
    await keyboard.send('Input.imeSetComposition', { text: 'にほん', selectionStart: 3, selectionEnd: 3 });
    await keyboard.send('Input.dispatchKeyEvent', {
      type: 'keyDown',
      key: 'Process',
      windowsVirtualKeyCode: 229,
    });
    await widget.field.dispatchEvent('keydown', { key: 'Enter', isComposing: true });
    await keyboard.send('Input.insertText', { text: '日本' });
    assert.equal(await widget.field.inputValue(), '日本');
    assert.deepEqual(await widget.texts(), []);
    await widget.field.press('Enter');
    await widget.message('日本').waitFor();
  });

  for (const [name, language, options] of variants) {
    await suite.test(
      `axe finds nothing on the widget, closed, empty, in use and with an error: ${name}, ${language}`,
      async (t) => {
        const shop = await openShop(t, server);
        const texts = textsOf(language);
        const { page } = await openPage(t, options);
        await page.goto(shop.page({ lang: language }));
        const check = async (state: string) => {
          await screenshot(page, `widget-${name}-${state}`);
          assert.deepEqual(await findAccessibilityProblems(page), [], state);
        };
        const launcher = page.getByRole('button', { name: texts.open });
        await launcher.waitFor();
        await check('closed');
        await launcher.click();
        const field = page.getByRole('textbox', { name: texts.message });
        await field.waitFor();
        await check('empty');
        await field.fill('請問藍色的還有嗎？ https://shop.example/blue');
        await field.press('Enter');
        await page.getByText(texts.sent).waitFor();
        await shop.answer('ありがとうございます。少々お待ちください。', {
          from: 'bot',
          agentName: undefined,
        });
        await shop.answer('Yes, we have it in blue. Shall we send it to you?', {
          quickReplies: ['Yes, please', '我到店取貨'],
        });
        await page.getByRole('button', { name: 'Yes, please' }).waitFor();
        await check('answered');
        await page.route('**/messages', (route) => route.abort());
        await field.fill('This one is not sent');
        await field.press('Enter');
        await page.getByRole('button', { name: texts.retry }).waitFor();
        await check('failed');
      },
    );
  }

  await suite.test('on a phone the chat covers the screen, and the focus stays inside', async (t) => {
    const shop = await openShop(t, server);
    const { page } = await openPage(t, { viewport: phone });
    await page.goto(shop.page());
    await widgetOn(page).open();
    assert.deepEqual(await widgetOn(page).dialog.boundingBox(), { x: 0, y: 0, ...phone });
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), phone.width);
    for (let presses = 0; presses < 8; presses += 1) {
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate('document.activeElement.localName'), 'shoal-chat');
    }
    await page.keyboard.press('Escape');
    await widgetOn(page).launcher.waitFor();
  });

  await suite.test('a button that becomes disabled does not lose the focus to the page', async (t) => {
    const shop = await openShop(t, server);
    const { page } = await openPage(t, { viewport: phone });
    const { promise: isFocused, resolve: answer } = Promise.withResolvers<void>();
    await page.route('**/session', async (route) => {
      await isFocused;
      await route.continue();
    });
    await page.goto(shop.page());
    await widgetOn(page).open();
    const attach = page.getByRole('button', { name: 'Send an image' });
    await attach.focus();
    answer();
    await page.locator('[aria-label="Send an image"]:disabled').waitFor();
    // The browser removes the focus with the next frame.
    await page.evaluate(
      'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))',
    );
    assert.equal(await page.evaluate('document.activeElement.localName'), 'shoal-chat');
  });

  await suite.test("the widget uses the page's language, or the language of the script line", async (t) => {
    const shop = await openShop(t, server);
    const { page } = await openPage(t, { locale: 'ja-JP' });
    const launcherOf = async (parts: Parameters<typeof shop.page>[0]) => {
      await page.goto(shop.page(parts));
      const launcher = page.getByRole('button').last();
      await launcher.waitFor();
      return [
        await launcher.getAttribute('aria-label'),
        await page.locator('shoal-chat').getAttribute('lang'),
      ];
    };
    await page.goto(shop.page());
    for (const language of languages)
      assert.deepEqual(await launcherOf({ lang: language }), [textsOf(language).open, language]);
    assert.deepEqual(await launcherOf({ lang: 'zh-TW' }), [textsOf('zh-Hant').open, 'zh-Hant']);
    assert.deepEqual(await launcherOf({ lang: 'en', attributes: { 'data-language': 'ja' } }), [
      textsOf('ja').open,
      'ja',
    ]);
    assert.deepEqual(await launcherOf({ lang: 'xx' }), [textsOf('ja').open, 'ja']);
  });

  await suite.test('with reduced motion nothing moves, and styles of the page do not apply', async (t) => {
    const shop = await openShop(t, server);
    const { page } = await openPage(t, { reducedMotion: 'reduce' });
    await page.goto(shop.page());
    await page.addStyleTag({
      content: '* { animation: spin 1s infinite; color: red !important; }',
    });
    await widgetOn(page).open();
    const looks = await page.evaluate(`{
    const { animationName, color } = getComputedStyle(document.querySelector('shoal-chat').shadowRoot.querySelector('.panel'));
    [animationName, color];
  }`);
    assert.deepEqual(looks, ['none', 'rgb(23, 33, 43)']);
  });
});
