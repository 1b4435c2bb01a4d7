/**
 * A shop with a live chat for browser tests: its page has its own origin and contains the script line; its agent answers through the
 * management API.
 */
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { ulid } from 'ulid';
import { createAdminToken } from '../../src/auth/admin-tokens.ts';
import type { Config } from '../../src/config.ts';
import type { JsonObject } from '../../src/json.ts';
import { openPage, type PageOptions } from '../harness/browser.ts';
import { freePort } from '../harness/free-port.ts';
import { addLiveChat } from '../harness/live-chat.ts';
import { type TestServer, testServer } from '../harness/server.ts';

export type Shop = {
  server: TestServer;
  botId: string;
  widgetKey: string;
  /** The address of the shop's page; see `PageParts`. */
  page(parts?: PageParts): string;
  /** The agent's admin token. */
  token: string;
  /** The only visitor. */
  visitorId(): Promise<string>;
  /** The number of visitors. */
  visitors(): Promise<number>;
  /** Calls the management API for that visitor's chat. */
  agent(path: string, body?: unknown, headers?: Record<string, string>): Promise<void>;
  /** An answer of the agent named Mei. */
  answer(text: string, more?: JsonObject): Promise<void>;
};

export type ShopSettings = { identityRequired?: boolean; allowedOrigins?: string[] };

/** The variants of the page; the page's address contains them. */
export type PageParts = {
  /** The page's language. */
  lang?: string;
  dir?: 'ltr' | 'rtl';
  /** The script line is in a frame with this `sandbox`. */
  sandbox?: string;
  /** The policy allows only scripts and calls of Shoal's host, and no HTML from strings. */
  strict?: boolean;
  /** More attributes of the script line. */
  attributes?: Record<string, string>;
};

export const identityKey = 'an-identity-key-for-tests-long-enough-to-be-one';
export const hashOf = (identifier: string): string =>
  createHmac('sha256', identityKey).update(identifier).digest('hex');

/** Starts Shoal on a fixed port, so that a test can restart it. */
export async function openServer(t: TestContext, settings: Partial<Config> = {}): Promise<TestServer> {
  return testServer(t, { port: await freePort(), chatAddressLimit: 0, ...settings });
}

/** Creates a bot with a live chat, and serves the shop's page until the test ends. */
export async function openShop(
  t: TestContext,
  server: TestServer,
  settings: ShopSettings = {},
): Promise<Shop> {
  const { botId, widgetKey } = await addLiveChat(server, { identityKey, ...settings });
  const dependencies = { now: Date.now(), random: randomBytes };
  const { token } = await createAdminToken(
    server.sql,
    { name: 'agent', scope: 'write', botIds: [botId] },
    dependencies,
  );
  const origin = await servePage(t, server.address, widgetKey);
  const shop: Shop = {
    ...{ server, botId, widgetKey, token },
    page: (parts = {}) => `${origin}/?${new URLSearchParams({ parts: JSON.stringify(parts) })}`,
    visitors: async () => (await server.sql`select from chat_visitors where bot_id = ${botId}`).length,
    async visitorId() {
      const rows = await server.sql`select visitor_id from chat_visitors where bot_id = ${botId}`;
      assert.equal(rows.length, 1, 'there is one visitor');
      return String(rows[0]?.visitor_id);
    },
    async agent(path, body, headers = { 'content-type': 'application/json' }) {
      const response = await fetch(
        `${server.address}/api/v1/bots/${botId}/chats/${await shop.visitorId()}/${path}`,
        {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, ...headers },
          body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body),
        },
      );
      assert.ok(response.ok, `${path}: ${response.status} ${await response.text()}`);
    },
    answer: (text, more = {}) =>
      shop.agent('messages', { messageId: ulid(), text, agentName: 'Mei', ...more }),
  };
  return shop;
}

/** The widget's elements by their accessible names, in English. */
export function widgetOn(page: Page) {
  const field = page.getByRole('textbox', { name: 'Message' });
  return {
    launcher: page.getByRole('button', { name: /^Open chat/ }),
    dialog: page.getByRole('dialog'),
    log: page.getByRole('log'),
    field,
    async open() {
      await page.getByRole('button', { name: /^Open chat/ }).click();
      await field.waitFor();
    },
    async write(text: string) {
      await field.fill(text);
      await field.press('Enter');
    },
    /** Writes a message and waits until the server has stored it. */
    async send(text: string) {
      await this.write(text);
      await page.getByText('Sent').waitFor();
    },
    message: (text: string): Locator => page.getByRole('log').getByText(text, { exact: true }),
    /** The texts of all bubbles, in order. */
    texts: (): Promise<string[]> => page.locator('.bubble').allInnerTexts(),
  };
}

/** Opens a shop's page in a browser, and the chat on it. */
export async function openWidget(
  t: TestContext,
  server: TestServer,
  options: { page?: PageParts; shop?: ShopSettings; browser?: PageOptions } = {},
) {
  const shop = await openShop(t, server, options.shop);
  const opened = await openPage(t, options.browser);
  const widget = widgetOn(opened.page);
  await opened.page.goto(shop.page(options.page));
  await widget.open();
  return { ...opened, shop, widget };
}

/** Serves the page of a shop with a script line; returns its origin. */
export async function servePage(t: TestContext, shoal: string, widgetKey: string): Promise<string> {
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://page').searchParams;
    const {
      lang = 'en',
      dir = 'ltr',
      sandbox,
      strict = false,
      attributes = {},
    }: PageParts = JSON.parse(query.get('parts') ?? '{}');
    const line = Object.entries({ 'data-widget-key': widgetKey, ...attributes })
      .map(([name, value]) => `${name}="${value}"`)
      .join(' ');
    const script = `<script src="${shoal}/live-chat/widget.js" ${line} async></script>`;
    if (sandbox !== undefined) {
      const inner = script.replaceAll('"', '&quot;');
      response.setHeader('content-type', 'text/html; charset=utf-8').end(
        `<!doctype html><html lang="en"><title>Shop</title><iframe sandbox="${sandbox}" width="600" height="700"
          srcdoc="<!doctype html><html lang=en><title>Chat</title><body>${inner}"></iframe></html>`,
      );
      return;
    }
    if (strict) response.setHeader('content-security-policy', strictPolicy(shoal));
    response.setHeader('content-type', 'text/html; charset=utf-8').end(
      `<!doctype html><html lang="${lang}" dir="${dir}"><meta name="viewport" content="width=device-width">
      <title>Shop</title><main><h1>Shop</h1><p>Fresh fish.</p><button>Buy</button></main>
      ${script}</html>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  // The host name differs from Shoal's, so it is another site.
  return `http://localhost:${typeof address === 'object' ? address?.port : ''}`;
}

function strictPolicy(shoal: string): string {
  return [
    "default-src 'none'",
    `script-src ${shoal}`,
    `connect-src ${shoal} ${shoal.replace('http', 'ws')}`,
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}
