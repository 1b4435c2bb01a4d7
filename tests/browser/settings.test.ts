/**
 * Settings in a real browser against a real server: a new bot, a channel up to its first delivery, live chat's script line, tokens
 * and users; by keyboard, in three languages and both themes.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { createAdminToken } from '../../src/auth/admin-tokens.ts';
import { dayMs } from '../../src/time.ts';
import { type OpenedPage, openPage, type PageOptions, phone, screenshot } from '../harness/browser.ts';
import { assertSound, settled, signInByToken } from '../harness/dashboard-page.ts';
import { oncePerFile, type Scope } from '../harness/scope.ts';
import { type TestServer, testServer } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { deliver, lineBody, lineSecret, lineUser } from '../harness/webhooks.ts';

type Shop = TestServer & { botId: string; token: string };

const startShoal = (scope: Scope) =>
  testServer(scope, { callbackPrivate: true, mantagoCallsPerMinute: 6_000 });
/** For the calls of an import, each with its transactions. */
const callsMsMax = 120_000;
const sharedServer = oncePerFile(startShoal);

test('a bot is created by keyboard, shows its pair once, and is changed', async (t) => {
  const shop = await openShop();
  const opened = await openSettings(t, shop, '');
  const { page } = opened;
  await screenshot(page, 'settings-bot');
  await page.getByRole('button', { name: 'New bot' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.getByRole('dialog').getByLabel('Name').focus();
  await page.keyboard.type('海風二店');
  await page.keyboard.press('Enter');
  const id = await page
    .getByRole('dialog')
    .getByRole('textbox', { name: 'Bot ID', exact: true })
    .inputValue();
  const secret = await page.getByRole('textbox', { name: 'API secret', exact: true }).inputValue();
  assert.ok(secret.length > 8);
  await screenshot(page, 'settings-new-bot');
  await page.keyboard.press('Escape');
  await page.waitForURL(`**/bots/${id}/settings?section=channels`);
  await page.getByRole('link', { name: 'Bot', exact: true }).click();
  await page.getByLabel('Name').fill('海風三店');
  await page.getByLabel('Time zone').selectOption('Asia/Tokyo');
  await page.getByLabel('Pause that ends a conversation (minutes)').fill('30');
  await page.getByText('recounts the figures').waitFor();
  await page.getByLabel('Name').press('Enter');
  await page.getByText('Saved').waitFor();
  assert.deepEqual(await read(shop, `/bots/${id}`), {
    ...{
      botId: id,
      name: '海風三店',
      timeZone: 'Asia/Tokyo',
      conversationGapSeconds: 1_800,
      lineProgram: null,
    },
  });
  assert.equal(await page.locator('.bot-switcher option', { hasText: '海風三店' }).count(), 1);
  await page.getByLabel('Pause that ends a conversation (minutes)').fill('0');
  await page.getByLabel('Name').press('Enter');
  await page.getByText('More than 0').waitFor();
  await assertSound(opened, shop.address);
});

test('an import from MantaGo is started, stopped, continued to its end, and compared on the reconciliation page', async (t) => {
  const shop = await openShop();
  // The counterpart is another bot of the same server.
  const theirs = await shop.addBot();
  await shop.sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    values (${theirs.botId}, 'Ada', 'line', ${lineUser('Ada')}, now())`;
  const opened = await openSettings(t, shop, '?section=mantago');
  const { page } = opened;
  const { address, answerAll } = await slowFront(t, shop.address);
  await page.getByLabel('MantaGo’s address').fill(address);
  await page.getByLabel('Bot id at MantaGo').fill(theirs.botId);
  await page.getByLabel('API token').fill(theirs.apiToken);
  assert.ok(await page.getByRole('button', { name: 'Start the import' }).isDisabled());
  await page.getByLabel('Secret key').fill(theirs.apiSecret);
  await page.getByRole('button', { name: 'Start the import' }).click();
  await page.getByText('Running', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByText('Stopped', { exact: true }).waitFor();
  answerAll();
  // The pair is stored, so nothing has to be entered again.
  await page.getByRole('button', { name: 'Continue the import' }).click();
  await page.getByText('Complete', { exact: true }).waitFor({ timeout: callsMsMax });
  await page.getByText('1 of 1 clients').waitFor();
  await page.getByRole('cell', { name: 'The list has no old ids' }).waitFor();
  await settled(page);
  await screenshot(page, 'settings-mantago');
  await assertSound(opened, shop.address);
  const { contacts } = (await read(shop, `/bots/${shop.botId}/contacts`)) as { contacts: unknown[] };
  assert.equal(contacts.length, 1);

  const figure = {
    call: 'clients/analysis',
    figure: 'fbFollowers',
    ours: 0,
    theirs: 850,
    gap: -850,
    percent: 100,
  };
  await shop.sql`
    insert into mantago_comparisons (bot_id, compared_at, tolerance, beyond, figures)
    values (${shop.botId}, now(), 1, 1, ${JSON.stringify([{ ...figure, isBeyond: true, reason: 'not-yet-followers' }])}::text::jsonb)`;
  await page.goto(`${shop.address}/bots/${shop.botId}/reconciliation`);
  await page.getByRole('button', { name: 'MantaGo', exact: true }).click();
  await page.getByText('1 of 1 figures differ by more than 1 %').waitFor();
  await page.getByText('Contacts that have not written since the connection').waitFor();
  await page.getByRole('button', { name: 'Compare every day' }).click();
  await page.getByRole('button', { name: 'Stop comparing' }).waitFor();
  await settled(page);
  await screenshot(page, 'reconciliation-mantago');
  await assertSound(opened, shop.address);
});

test('LINE is set up step by step, and the page shows the arrival of the first delivery', async (t) => {
  const shop = await openShop();
  const opened = await openSettings(t, shop, '?section=channels');
  const { page } = opened;
  await screenshot(page, 'settings-channels');
  await assertSound(opened, shop.address);
  await page.getByRole('link', { name: 'Set up LINE' }).click();
  const address = `${shop.address}/webhooks/${shop.botId}/line`;
  assert.equal(await page.getByRole('textbox', { name: 'Webhook URL', exact: true }).inputValue(), address);
  await opened.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy: Webhook URL' }).click();
  await page.getByText('Copied: Webhook URL').waitFor();
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), address);
  await page.getByText('Save step 1 first.').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Please fill this in.').waitFor();
  await page.getByLabel('Channel secret').fill(lineSecret);
  await page.keyboard.press('Enter');
  await page.getByText('Waiting for the first delivery…').waitFor();
  assert.equal(await page.getByLabel('Channel secret').inputValue(), '');
  await screenshot(page, 'settings-line');
  await assertSound(opened, shop.address);
  const body = lineBody([{ type: 'message', id: 'M1', user: 'mei', at: Date.now() }]);
  const channel = { botId: shop.botId, platform: 'line', secret: lineSecret } as const;
  assert.equal((await deliver(shop.address, channel, body)).status, 200);
  await page.getByText('It works: a delivery arrived').waitFor();
  await page.getByRole('button', { name: 'Test again' }).click();
  await page.getByText('Waiting for the next delivery…').waitFor();
  await deliver(
    shop.address,
    channel,
    lineBody([{ type: 'message', id: 'M2', user: 'mei', at: Date.now() }]),
  );
  await page.getByText('It works: another delivery arrived').waitFor();
  await page.getByRole('link', { name: 'All channels' }).click();
  await page.getByRole('button', { name: 'Switch off LINE' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click();
  await page.getByText('LINE is off').waitFor();
  await page.getByRole('button', { name: 'Switch on LINE' }).click();
  await page.getByText('LINE is on').waitFor();
  assert.deepEqual(opened.errors, []);
});

test("each of Meta's platforms shows its verify token to copy", async (t) => {
  const shop = await openShop();
  for (const [platform, id] of [
    ['facebook', 'Page ID'],
    ['instagram', 'Instagram account ID'],
    ['whatsapp', 'Phone number ID'],
  ] as const) {
    const opened = await openSettings(t, shop, `?section=channels&platform=${platform}`);
    const { page } = opened;
    const word = await page.getByRole('textbox', { name: 'Verify token', exact: true }).inputValue();
    await page.getByLabel(id).fill('123456');
    await page.getByLabel('App secret').fill('app-secret');
    await page.keyboard.press('Enter');
    await page.getByText('Saved').waitFor();
    const address = await page.getByRole('textbox', { name: 'Webhook URL', exact: true }).inputValue();
    const answer = await fetch(
      `${address}?hub.mode=subscribe&hub.challenge=42&hub.verify_token=${encodeURIComponent(word)}`,
    );
    assert.equal(await answer.text(), '42', platform);
    await screenshot(page, `settings-${platform}`);
    await assertSound(opened, shop.address);
  }
});

test('live chat gets its script line, its origins and an identity key', async (t) => {
  const shop = await openShop();
  const opened = await openSettings(t, shop, '?section=channels&platform=liveChat');
  const { page } = opened;
  await page.getByRole('button', { name: 'Set up live chat' }).click();
  const line = await page.getByRole('textbox', { name: 'Script line', exact: true }).inputValue();
  const [, key = ''] = /data-widget-key="([^"]+)"/.exec(line) ?? [];
  assert.ok(line.startsWith(`<script src="${shop.address}/live-chat/widget.js" `), line);
  const session = await fetch(`${shop.address}/live-chat/v1/${key}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  assert.equal(session.status, 200);
  await page.getByLabel('Allowed origins').fill('https://shop.example/cart');
  const originCard = page.locator('.card', { hasText: 'Allowed sites' });
  await originCard.getByRole('button', { name: 'Save' }).click();
  await page.getByText('is not an origin').waitFor();
  await page.getByLabel('Allowed origins').fill('https://shop.example\nhttps://www.shop.example');
  await originCard.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved').first().waitFor();
  assert.ok(await page.getByLabel('Only customers may chat').isDisabled());
  await page.getByRole('button', { name: 'Create identity key' }).click();
  assert.equal(
    (await page.getByRole('textbox', { name: 'Identity key', exact: true }).inputValue()).length,
    43,
  );
  await page.getByLabel('Only customers may chat').check();
  await page.getByText('Saved').nth(1).waitFor();
  const { channels } = await read<{ channels: unknown[] }>(shop, `/bots/${shop.botId}/channels`);
  const [chat] = channels as Record<string, unknown>[];
  assert.deepEqual(
    [chat?.allowedOrigins, chat?.identityRequired, chat?.identityKeySet],
    [['https://shop.example', 'https://www.shop.example'], true, true],
  );
  await screenshot(page, 'settings-live-chat');
  await assertSound(opened, shop.address);
});

test('tokens and users are created and removed, and secrets are shown once', async (t) => {
  const shop = await openShop(startShoal(t));
  const opened = await openSettings(t, shop, '?section=access');
  const { page } = opened;
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('weekly report');
  await page.getByRole('dialog').getByLabel('Expires').selectOption('After 30 days');
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
  const token = await page.getByRole('textbox', { name: 'Token', exact: true }).inputValue();
  assert.equal((await call(shop, `/bots/${shop.botId}`, token)).status, 200);
  await page.getByRole('button', { name: 'Done' }).click();
  const { adminTokens } = await read<{ adminTokens: { name: string; expiresAt: string | null }[] }>(
    shop,
    '/admin-tokens',
  );
  const end = Date.parse(adminTokens.find(({ name }) => name === 'weekly report')?.expiresAt ?? '');
  assert.ok(Math.abs(end - Date.now() - 30 * dayMs) < dayMs);
  await page.getByRole('button', { name: 'Revoke weekly report' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('Revoked: weekly report').waitFor();
  assert.equal((await call(shop, `/bots/${shop.botId}`, token)).status, 401);
  await page.getByRole('button', { name: 'New API pair' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Create new pair' }).click();
  assert.ok((await page.getByRole('textbox', { name: 'API token', exact: true }).inputValue()).length > 20);
  await screenshot(page, 'settings-access');
  await assertSound(opened, shop.address);

  await shop.addChannel(shop.botId, { platform: 'line', secret: lineSecret });
  await page.reload();
  await page.getByRole('button', { name: 'New LINE token' }).click();
  await page.getByRole('dialog').getByLabel('Scope').selectOption('Send');
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
  const lineToken = await page.getByRole('textbox', { name: 'Token', exact: true }).inputValue();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('cell', { name: 'Send', exact: true }).waitFor();
  const followers = () =>
    fetch(`${shop.address}/v2/bot/insight/followers?date=20260301`, {
      headers: { authorization: `Bearer ${lineToken}` },
    });
  assert.equal((await followers()).status, 200);
  await screenshot(page, 'settings-line-tokens');
  const { lineTokens } = await read<{ lineTokens: { tokenId: string }[] }>(
    shop,
    `/bots/${shop.botId}/line/tokens`,
  );
  await page.getByRole('button', { name: `Revoke ${lineTokens[0]?.tokenId}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText(`Revoked: ${lineTokens[0]?.tokenId}`).waitFor();
  await until(async () => (await followers()).status === 401, 'the token is revoked');

  await page.getByRole('link', { name: 'Users' }).click();
  await page.getByRole('button', { name: 'New user' }).click();
  await page.getByLabel('User name').fill('mika');
  await page.getByLabel('Password').fill('short');
  await page.getByLabel('Scope').selectOption('write');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Password').fill('correct horse battery staple');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByText('Saved: mika').waitFor();
  await page.getByRole('button', { name: 'Change mika' }).click();
  await page.getByLabel('Scope').selectOption('read');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByRole('cell', { name: 'Read' }).waitFor();
  await screenshot(page, 'settings-users');
  await page.getByRole('button', { name: 'Remove mika' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByText('Removed: mika').waitFor();
  // The browser logs the 400 of the short password.
  assert.equal(opened.errors.length, 1);
  opened.errors.length = 0;
  await assertSound(opened, shop.address);
});

test('a reader sees the settings without controls for changes', async (t) => {
  const shop = await openShop();
  const opened = await openSettings(t, shop, '?section=users', { scope: 'read' });
  const { page } = opened;
  assert.deepEqual(
    await page.getByRole('navigation', { name: 'Settings' }).getByRole('link').allTextContents(),
    ['Bot', 'Channels', 'Outgoing webhook', 'MantaGo', 'My account'],
  );
  assert.equal(await page.locator('main').getByRole('button').count(), 0);
  await page.getByRole('link', { name: 'Channels' }).click();
  await page.getByText('Not connected').first().waitFor();
  assert.equal(await page.locator('main').getByRole('button').count(), 0);
  await assertSound(opened, shop.address);
});

test('only an administrator sets up channels; an editor switches them off and on', async (t) => {
  const shop = await openShop();
  await shop.addChannel(shop.botId, { platform: 'line', secret: lineSecret });
  const query = '?section=channels&platform=line';
  const { page } = await openSettings(t, shop, query, { scope: 'write' });
  await page.getByText('Connected').first().waitFor();
  assert.deepEqual(await page.locator('main .channels').getByRole('link').allTextContents(), []);
  assert.equal(await page.getByLabel('Channel secret').count(), 0);
  await page.getByRole('button', { name: 'Switch off LINE' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click();
  await page.getByText('LINE is off').waitFor();
});

test('the address of outgoing webhooks is set and removed, and its secret is shown once', async (t) => {
  const shop = await openShop();
  const opened = await openSettings(t, shop, '?section=callback');
  const { page } = opened;
  await page.getByLabel('Address').fill('http://127.0.0.1:9/shoal');
  await page.keyboard.press('Enter');
  assert.match(
    await page.getByRole('textbox', { name: 'Signing secret', exact: true }).inputValue(),
    /^whsec_/,
  );
  await page.getByText('Working').waitFor();
  await screenshot(page, 'settings-callback');
  await assertSound(opened, shop.address);
  await page.getByRole('button', { name: 'Stop sending' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop sending' }).click();
  await page.getByText('Webhooks are no longer sent').waitFor();
  assert.deepEqual(await read(shop, `/bots/${shop.botId}/callback`), { botId: shop.botId, callback: null });
});

for (const [locale, title] of [
  ['ja-JP', 'LINEを設定'],
  ['zh-TW', '設定 LINE'],
] as const) {
  test(`the set-up in ${locale}, dark, on a phone`, async (t) => {
    const shop = await openShop();
    const options = { locale, colorScheme: 'dark', viewport: phone } as const;
    const opened = await openSettings(t, shop, '?section=channels&platform=line', options);
    await opened.page.getByRole('heading', { name: title }).waitFor();
    await screenshot(opened.page, `settings-line-${locale}`);
    await assertSound(opened, shop.address);
    await opened.page.goto(`${shop.address}/bots/${shop.botId}/settings?section=channels`);
    await settled(opened.page);
    await screenshot(opened.page, `settings-channels-${locale}`);
    await assertSound(opened, shop.address);
  });
}

/** Passes calls on to the server at `target`, from the call of `answerAll` on. Earlier calls wait. */
async function slowFront(t: TestContext, target: string): Promise<{ address: string; answerAll(): void }> {
  const open = Promise.withResolvers<void>();
  const front = createServer(async (request, response) => {
    const body = await buffer(request);
    await open.promise;
    const headers = {
      authorization: request.headers.authorization ?? '',
      'content-type': 'application/json',
    };
    const answer = await fetch(`${target}${request.url}`, { method: 'POST', headers, body });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  t.after(() => {
    open.resolve();
    front.closeAllConnections();
    front.close();
  });
  const { port } = front.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, answerAll: open.resolve };
}

/** A bot, by default on the file's server. */
async function openShop(starting = sharedServer()): Promise<Shop> {
  const server = await starting;
  const { botId } = await server.addBot();
  const { token } = await createAdminToken(
    server.sql,
    { name: 'settings', scope: 'admin', botIds: null },
    { now: Date.now(), random: randomBytes },
  );
  return { ...server, botId, token };
}

async function openSettings(
  t: TestContext,
  shop: Shop,
  query: string,
  { scope, ...options }: PageOptions & { scope?: 'read' | 'write' } = {},
): Promise<OpenedPage> {
  const opened = await openPage(t, options);
  const newToken = { name: 'reader', scope: scope ?? 'admin', botIds: null } as const;
  const dependencies = { now: Date.now(), random: randomBytes };
  const token = scope ? (await createAdminToken(shop.sql, newToken, dependencies)).token : shop.token;
  await signInByToken(opened, shop.address, token);
  await opened.page.goto(`${shop.address}/bots/${shop.botId}/settings${query}`);
  await settled(opened.page);
  return opened;
}

function call({ address }: Shop, path: string, token: string): Promise<Response> {
  return fetch(`${address}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } });
}

async function read<Value = unknown>(shop: Shop, path: string): Promise<Value> {
  return (await call(shop, path, shop.token)).json() as Promise<Value>;
}
