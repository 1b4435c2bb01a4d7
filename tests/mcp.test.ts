/**
 * The MCP server, by the SDK's own client: over HTTP, and on stdio as the command that a client starts.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { createAdminToken } from '../src/auth/admin-tokens.ts';
import { writeNames } from '../src/contacts/profiles.ts';
import { dayMs, dayOf, minuteMs } from '../src/time.ts';
import { putSnapshot } from './harness/line-figures.ts';
import { seededBytes } from './harness/random.ts';
import { type TestServer, testServer } from './harness/server.ts';
import {
  deliver,
  lineBody,
  lineDestination,
  lineSecret,
  metaSecret,
  whatsappBody,
  whatsappNumberId,
} from './harness/webhooks.ts';

const program = fileURLToPath(new URL('../bin/shoal.js', import.meta.url));
const phone = '886912345678';
const metaApp = { secret: metaSecret, verifyToken: 'verify' };
/** A second process may be slow to start. */
const patience = { timeout: 5 * minuteMs };
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

/** A bot with a friend on LINE that wrote once, and a person with a name on WhatsApp. */
async function addShop(server: TestServer): Promise<string> {
  const { botId } = await server.addBot();
  const at = Date.now() - minuteMs;
  await server.addChannel(botId, { platform: 'line', accountId: lineDestination, secret: lineSecret });
  await server.addChannel(botId, { platform: 'whatsapp', accountId: whatsappNumberId, ...metaApp });
  const events = [
    { type: 'follow', id: 'event-1', user: 'A', at },
    { type: 'message', id: 'event-2', user: 'A', at: at + 1 },
  ] as const;
  await deliver(server.address, { botId, platform: 'line' }, lineBody(events));
  const message = whatsappBody([{ id: 'wamid.1', from: phone, at }]);
  await deliver(server.address, { botId, platform: 'whatsapp' }, message);
  await server.folded();
  const name = { platformContactId: phone, name: '王小明', reportedAt: Date.now() };
  await server.sql.begin((tx) =>
    writeNames(tx, botId, [{ platform: 'whatsapp', ...name }], { now: Date.now() }),
  );
  return botId;
}

async function connect(t: TestContext, transport: Transport): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  t.after(() => client.close());
  await client.connect(transport, patience);
  return client;
}

function overHttp(t: TestContext, { address }: TestServer, token: string): Promise<Client> {
  const headers = { authorization: `Bearer ${token}` };
  const transport = new StreamableHTTPClientTransport(new URL(`${address}/mcp`), {
    requestInit: { headers },
  });
  // Its type does not allow for exactOptionalPropertyTypes.
  return connect(t, transport as Transport);
}

function onStdio(t: TestContext, { address }: TestServer, token: string): Promise<Client> {
  const { PATH = '' } = process.env;
  const env = { PATH, SHOAL_MCP_URL: address, SHOAL_MCP_TOKEN: token };
  return connect(
    t,
    new StdioClientTransport({ command: process.execPath, args: [program, 'mcp'], env, stderr: 'ignore' }),
  );
}

/** The structured answer of a tool, or the text of its error. */
async function use(client: Client, name: string, input: Record<string, unknown> = {}) {
  const { structuredContent, isError, content } = await client.callTool(
    { name, arguments: input },
    undefined,
    patience,
  );
  const [{ text }] = content as [{ text: string }];
  if (isError) return { error: text };
  assert.deepEqual(JSON.parse(text), structuredContent, 'text and structured content agree');
  return structuredContent as Record<string, unknown>;
}

async function readApi({ address }: TestServer, token: string, path: string): Promise<unknown> {
  const response = await fetch(`${address}/api/v1/${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(response.status, 200, path);
  return response.json();
}

test('an MCP client reads the same answers as the management API, within the scope and bots of its token', async (t) => {
  const server = await testServer(t, { adminRateLimit: 500 });
  const botId = await addShop(server);
  const other = await server.addBot();
  const ofOneBot = { name: 'agent', scope: 'read', botIds: [botId] } as const;
  const making = { now: Date.now(), random: seededBytes(7) };
  const { token } = await createAdminToken(server.sql, ofOneBot, making);
  const writer = await server.addToken('write');

  const client = await overHttp(t, server, token);
  const { tools } = await client.listTools();
  assert.ok(tools.every(({ annotations }) => annotations?.readOnlyHint === true));
  const names = tools.map(({ name }) => name);

  // Each tool answers as its operation.
  const bot = `bots/${botId}`;
  const contacts = (await readApi(server, token, `${bot}/contacts`)) as { contacts: { contactId: string }[] };
  const [{ contactId = '' } = {}] = contacts.contacts;
  const range = { from: '2026-01-01', to: '2026-01-03' };
  const cases: [tool: string, input: Record<string, unknown>, path: string][] = [
    ['list_bots', {}, 'bots'],
    ['get_overview', { botId, comparison: 'none' }, `${bot}/overview?comparison=none`],
    ['get_figures', { botId }, `${bot}/figures`],
    [
      'get_series',
      { botId, figures: ['followers', 'messages'], platforms: ['whatsapp'], ...range },
      `${bot}/figures/series?figures=followers,messages&platforms=whatsapp&from=2026-01-01&to=2026-01-03`,
    ],
    ['get_reconciliation', { botId }, `${bot}/reconciliation`],
    ['get_platform_reconciliation', { botId, metaPlatform: 'whatsapp' }, `${bot}/reconciliation/whatsapp`],
    ['get_points', { botId, contactId }, `${bot}/contacts/${contactId}/points`],
    [
      'list_point_entries',
      { botId, contactId, limit: 1 },
      `${bot}/contacts/${contactId}/points/entries?limit=1`,
    ],
    ['get_point_series', { botId, ...range }, `${bot}/points/series?from=2026-01-01&to=2026-01-03`],
    ['list_sends', { botId }, `${bot}/sends`],
  ];
  for (const [tool, input, path] of cases)
    assert.deepEqual(await use(client, tool, input), await readApi(server, token, path), tool);
  assert.match(JSON.stringify(await use(client, 'get_health', { botId })), /"lastDeliveryAt"/);
  const tried = [...cases.map(([tool]) => tool), 'get_health', 'list_contacts', 'get_contact', 'get_send'];
  assert.deepEqual(names.toSorted(), [...tried, 'explain_figure'].toSorted());

  // Names need the scope write, and a call that asks for them.
  const query = { botId, platform: 'whatsapp' };
  const personOf = async (user: Client, input: object) => {
    const answer = await use(user, 'list_contacts', { ...query, ...input });
    const [{ name, platformContactId } = {}] = (answer.contacts ?? []) as Record<string, unknown>[];
    return answer.error ?? [name, platformContactId];
  };
  assert.deepEqual(await personOf(client, {}), ['王…', '…']);
  assert.match(String(await personOf(client, { showNames: true })), /^SCOPE_TOO_SMALL/);
  const withScope = await overHttp(t, server, writer);
  assert.deepEqual(await personOf(withScope, {}), ['王…', '…']);
  assert.deepEqual(await personOf(withScope, { showNames: true }), ['王小明', phone]);
  const person = await use(client, 'get_contact', { botId, contactId });
  assert.doesNotMatch(JSON.stringify(person), /王小明/);

  // Refusals are results that a model can read.
  const refused = async (tool: string, input: object) =>
    String((await use(client, tool, { ...input })).error);
  assert.match(await refused('get_figures', { botId: other.botId }), /^BOT_NOT_FOUND/);
  assert.match(await refused('get_figures', {}), /^INPUT_INVALID: botId/);
  assert.match(await refused('get_figures', { botId: '../admin-tokens' }), /^(BOT_NOT_FOUND|INPUT_INVALID)/);
  assert.match(await refused('get_series', { botId, by: 'hour' }), /^INPUT_INVALID/);
  assert.match(await refused('get_series', { botId, nothing: 1 }), /^INPUT_INVALID/);
  assert.match(await refused('get_send', { botId, sendId: 'unknown' }), /NOT_FOUND|INPUT_INVALID/);
  await assert.rejects(client.callTool({ name: 'create_bot', arguments: {} }), /no tool create_bot/);

  const explained = async (figure: string, platform = 'line') => {
    const answer = await use(client, 'explain_figure', { botId, figure, platform });
    assert.match(String(answer.definition), /^## \d/, figure);
    return [answer.calculation, answer.published];
  };
  assert.deepEqual(await explained('followers'), ['1 = 1', 1]);
  assert.deepEqual(await explained('inbound'), ['1 = 1', 1]);
  assert.deepEqual(await explained('newFollowers', 'whatsapp'), ['1 = 1', 1]);
  assert.deepEqual(await explained('averageConversationMessages'), ['round(1 ÷ 1)', 1]);
  assert.deepEqual(await explained('tagCoverRate'), ['min(1, 0 ÷ 1)', 0]);
  assert.deepEqual(await explained('pointsOutstanding'), ['0 = 0', 0]);
  assert.deepEqual(await explained('blocks'), ['0 = 0', 0]);
  assert.deepEqual(await explained('messages', 'whatsapp'), ['1 = 1', 1]);
  // LINE has reported no sent messages.
  assert.deepEqual(await explained('outbound', 'whatsapp'), ['0 = 0', 0]);
  const day = dayOf(Date.now() - 2 * dayMs, 'Asia/Tokyo');
  const value = { status: 'ready', followers: 100, targetedReaches: 90, blocks: 2 };
  await putSnapshot(server.sql, { botId, kind: 'followers', day, value, receivedAt: Date.now() });
  assert.deepEqual(await explained('followers'), ['100 + 1 = 101', 101]);
  assert.deepEqual(await explained('blocks'), ['at least 0: 2 = 2', 2]);
  assert.match(
    await refused('explain_figure', { botId, figure: 'height', platform: 'line' }),
    /^INPUT_INVALID/,
  );

  const { resources } = await client.listResources();
  const texts = await Promise.all(resources.map(({ uri }) => client.readResource({ uri })));
  const starts = texts.map(({ contents: [content] }) =>
    String(content && 'text' in content && content.text.slice(0, 20)),
  );
  assert.match(starts.join(), /^# The figures.*# /s);

  // The same server for a client that starts a process.
  const process = await onStdio(t, server, token);
  assert.deepEqual((await process.listTools()).tools, tools);
  assert.deepEqual(
    await use(process, 'get_figures', { botId }),
    await readApi(server, token, `${bot}/figures`),
  );
  assert.deepEqual(await personOf(process, {}), ['王…', '…']);
  await process.close();
  await assert.rejects(onStdio(t, server, 'shoal_admin_unknown'));
});

test('/mcp refuses calls without a valid token, of foreign pages, too large, too many or in a batch', async (t) => {
  const server = await testServer(t, { adminRateLimit: 4, publicUrl: 'https://shoal.example' });
  const token = await server.addToken('read');
  const send = async (headers: Record<string, string>, body: unknown = initialize, method = 'POST') => {
    const response = await fetch(`${server.address}/mcp`, {
      method,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    const { code } = text.startsWith('{') ? JSON.parse(text) : { code: undefined };
    return { status: response.status, code, headers: response.headers };
  };
  const outcome = async (...call: Parameters<typeof send>) => {
    const { status, code } = await send(...call);
    return [status, code];
  };
  const authorization = `Bearer ${token}`;
  const missing = await send({});
  assert.deepEqual([missing.status, missing.code], [401, 'TOKEN_INVALID']);
  assert.match(String(missing.headers.get('www-authenticate')), /^Bearer/);
  assert.deepEqual(await outcome({ authorization: 'Bearer wrong' }), [401, 'TOKEN_INVALID']);
  assert.deepEqual(await outcome({ cookie: 'shoal_session=x' }), [401, 'TOKEN_INVALID']);
  const { host } = new URL(server.address);
  assert.deepEqual(await outcome({ authorization, origin: `http://evil.example:${host.split(':')[1]}` }), [
    ...[403, 'ORIGIN_NOT_ALLOWED'],
  ]);
  assert.deepEqual(await outcome({ authorization, origin: 'null' }), [403, 'ORIGIN_NOT_ALLOWED']);
  const stream = await send({ authorization }, undefined, 'GET');
  assert.deepEqual([stream.status, stream.headers.get('allow')], [405, 'POST']);

  // Of four calls a minute, the first one comes from the public page.
  const first = await send({ authorization, origin: 'https://shoal.example' });
  assert.deepEqual([first.status, first.headers.get('ratelimit-remaining')], [200, '3']);
  assert.deepEqual(await outcome({ authorization }, [initialize, initialize]), [400, 'INPUT_INVALID']);
  assert.deepEqual(await outcome({ authorization }, { text: 'x'.repeat(70_000) }), [413, 'BODY_TOO_LARGE']);
  assert.equal(
    (await send({ authorization }, { jsonrpc: '2.0', method: 'notifications/initialized' })).status,
    202,
  );
  let last = await send({ authorization });
  // A call returns every 15 s.
  while (last.status === 200) last = await send({ authorization });
  assert.deepEqual([last.status, last.code], [429, 'RATE_LIMITED']);
  assert.ok(Number(last.headers.get('retry-after')) > 0);
});
