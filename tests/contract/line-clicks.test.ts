/**
 * Click tracking: a send that requests it goes out with tracked links, each link redirects only to its stored URL, and each
 * person counts once in the statistics of the send.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type FakeLine, fakeLine } from '../harness/fake-line.ts';
import { type TestServer, testServer } from '../harness/server.ts';
import { lineSecret, lineUser } from '../harness/webhooks.ts';

const token = 'channel-access-token';
const publicUrl = 'https://shoal.example';
const browser = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari Line/14.0';
const shop = 'https://shop.example/spring?a=1&openExternalBrowser=1';

type Shop = { server: TestServer; line: FakeLine; botId: string };

async function openShop(t: TestContext, settings: { publicUrl?: string | null } = {}): Promise<Shop> {
  const line = await fakeLine(t);
  const server = await testServer(t, { lineApi: line.address, publicUrl, ...settings });
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: lineSecret, accessToken: token });
  return { server, line, botId };
}

function send(
  { server }: Shop,
  kind: string,
  body: object,
  headers: Record<string, string> = { 'x-shoal-track-clicks': 'true' },
): Promise<Response> {
  return fetch(`${server.address}/v2/bot/message/${kind}`, {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
  });
}

/** The link codes in the last request to LINE. */
function codesOf({ line }: Shop): string[] {
  return [...String(line.requests.at(-1)?.body).matchAll(/shoal\.example\/r\/([A-Za-z]{14})/g)].map(
    ([, code]) => code ?? '',
  );
}

function open(
  { server }: Shop,
  code: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Response> {
  return fetch(`${server.address}/r/${code}`, {
    method,
    redirect: 'manual',
    headers: { 'user-agent': browser, ...headers },
  });
}

async function counted(shop: Shop, clicks: number): Promise<object[]> {
  const { sql, folded } = shop.server;
  for (let looks = 0; ; looks++) {
    await folded();
    const [row] = await sql<{ clicks: number }[]>`select count(*)::integer as clicks from line_clicks`;
    if (row?.clicks === clicks) break;
    assert.ok(looks < 100, `${row?.clicks} clicks were stored, not ${clicks}`);
    await pause(20);
  }
  const rows = await sql`
    select request_id as id, seq, url, total, people from line_interaction_counts
    where kind = 'click' and seq > 0 order by request_id, seq`;
  return [...rows];
}

const messages = [{ type: 'text', text: `Spring! ${shop}` }];

test('a send with click tracking has tracked links, and each person and visitor counts once', async (t) => {
  const shop1 = await openShop(t);
  const { line } = shop1;
  const answer = await send(shop1, 'broadcast', {
    messages: [
      ...messages,
      { type: 'flex', contents: { action: { type: 'uri', uri: 'https://shop.example/b' } } },
    ],
  });
  assert.equal(answer.status, 200);
  assert.equal(line.requests[0]?.headers['x-shoal-track-clicks'], undefined);
  const [first = '', second = ''] = codesOf(shop1);
  assert.equal(
    String(line.requests[0]?.body),
    `{"messages":[{"type":"text","text":"Spring! ${publicUrl}/r/${first}?openExternalBrowser=1"},{"type":"flex","contents":{"action":{"type":"uri","uri":"${publicUrl}/r/${second}"}}}]}`,
  );
  const opened = await open(shop1, first);
  assert.equal(opened.status, 302);
  assert.equal(opened.headers.get('location'), shop);
  assert.equal(opened.headers.get('cache-control'), 'no-store');
  assert.equal(opened.headers.get('referrer-policy'), 'no-referrer');
  assert.equal(opened.headers.get('set-cookie'), null);
  await open(shop1, first);
  await open(shop1, first, { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' });
  await open(shop1, second);
  const id = answer.headers.get('x-line-request-id');
  assert.deepEqual(await counted(shop1, 4), [
    { id, seq: 1, url: shop, total: 3, people: 2 },
    { id, seq: 2, url: 'https://shop.example/b', total: 1, people: 1 },
  ]);
  const people = await shop1.server.sql<{ person: string }[]>`select distinct person from line_clicks`;
  for (const { person } of people) assert.match(person, /^visitor:[\w-]{22}$/);
});

test('getMessageEvent shows the clicks of a send once twenty people have clicked', async (t) => {
  const shop1 = await openShop(t);
  const sendResponse = await send(shop1, 'broadcast', { messages });
  const [code = ''] = codesOf(shop1);
  for (let n = 1; n <= 20; n++) await open(shop1, code, { 'x-forwarded-for': `203.0.113.${n}` });
  await counted(shop1, 20);
  const requestId = sendResponse.headers.get('x-line-request-id');
  const url = `${shop1.server.address}/v2/bot/insight/message/event?requestId=${requestId}`;
  const event = await (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).json();
  const clicks = [{ seq: 1, url: shop, click: 20, uniqueClick: 20, uniqueClickOfRequest: 20 }];
  assert.deepEqual(JSON.parse(JSON.stringify(event)).clicks, clicks);
});

test('LINE’s own statistics of a send show the original URLs, not the tracked links', async (t) => {
  const shop1 = await openShop(t);
  const { server, botId } = shop1;
  await send(shop1, 'broadcast', { messages });
  const [other = ''] = codesOf(shop1);
  const sendResponse = await send(shop1, 'push', {
    ...{ to: lineUser('A'), customAggregationUnits: ['spring'] },
    messages: [{ type: 'text', text: `${shop} https://shop.example/b` }],
  });
  const [first = '', second = ''] = codesOf(shop1);
  const requestId = sendResponse.headers.get('x-line-request-id') ?? '';
  await counted(shop1, 0);
  const entry = (url: string, click: number) => ({
    ...{ seq: 1, url, click },
    ...{ uniqueClick: 20, uniqueClickOfRequest: 20 },
  });
  const lineClicks = [
    entry(`${publicUrl}/r/${first}?openExternalBrowser=1`, 31),
    entry(`${publicUrl}/r/${second}`, 32),
    entry(`${publicUrl}/r/${other}?openExternalBrowser=1`, 33),
    entry('https://elsewhere.example/r/AAAAAAAAAAAAAA', 34),
    entry('tel:0212345678', 35),
  ];
  const value = JSON.stringify({ overview: { requestId, timestamp: 1 }, messages: [], clicks: lineClicks });
  await server.sql`
    insert into line_message_events (bot_id, request_id, value, received_at)
    values (${botId}, ${requestId}, ${value}::text::jsonb, now())`;
  await server.sql`
    insert into line_unit_events (bot_id, unit, first_day, last_day, value, received_at)
    values (${botId}, 'spring', '2026-01-01', '2026-01-02', ${value}::text::jsonb, now())`;
  const expectedClicks = [entry(shop, 31), entry('https://shop.example/b', 32), ...lineClicks.slice(2)];
  for (const path of [
    `message/event?requestId=${requestId}`,
    'message/event/aggregation?customAggregationUnit=spring&from=20260101&to=20260102',
  ]) {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await (await fetch(`${server.address}/v2/bot/insight/${path}`, { headers })).json();
    assert.deepEqual(JSON.parse(JSON.stringify(answer)).clicks, expectedClicks, path);
  }
});

test('clicks of a push to one person count for that person', async (t) => {
  const shop1 = await openShop(t);
  await send(shop1, 'push', { to: lineUser('A'), messages });
  const [code = ''] = codesOf(shop1);
  await open(shop1, code);
  await open(shop1, code, { 'x-forwarded-for': '203.0.113.9' });
  const [count] = await counted(shop1, 2);
  assert.deepEqual({ ...count, id: null }, { id: null, seq: 1, url: shop, total: 2, people: 1 });
  const people = await shop1.server.sql<{ person: string }[]>`select distinct person from line_clicks`;
  assert.deepEqual(
    people.map(({ person }) => person),
    [lineUser('A')],
  );
});

test('previews, prefetches and HEAD requests are redirected but not counted', async (t) => {
  const shop1 = await openShop(t);
  await send(shop1, 'broadcast', { messages });
  const [code = ''] = codesOf(shop1);
  const answers = [
    await open(shop1, code, {}, 'HEAD'),
    await open(shop1, code, { 'user-agent': 'facebookexternalhit/1.1;line-poker/1.0' }),
    await open(shop1, code, { 'user-agent': 'Slackbot-LinkExpanding 1.0' }),
    await open(shop1, code, { 'user-agent': '' }),
    await open(shop1, code, { 'sec-purpose': 'prefetch' }),
  ];
  for (const { status, headers } of answers) assert.deepEqual([status, headers.get('location')], [302, shop]);
  await open(shop1, code);
  assert.equal((await counted(shop1, 1)).length, 1);
});

test('a link redirects only to the URL stored under its code', async (t) => {
  const shop1 = await openShop(t);
  await send(shop1, 'broadcast', { messages });
  const [code = ''] = codesOf(shop1);
  const changed = code.slice(0, -1) + (code.endsWith('A') ? 'B' : 'A');
  for (const path of [
    changed,
    'https:%2F%2Fother.example',
    '..%2F..',
    '%00',
    'AAAAAAAAAAAAAA',
    code.toUpperCase(),
  ]) {
    const { status, headers } = await open(shop1, path);
    assert.deepEqual([status, headers.get('location')], [404, null], path);
  }
  const aside = await open(shop1, `${code}?url=https://other.example&to=//other.example`);
  assert.equal(aside.headers.get('location'), shop);
});

test('a click that is folded before its send counts once for that send', async (t) => {
  const shop1 = await openShop(t);
  shop1.line.answerWith(async (_received, response) => {
    const [code = ''] = codesOf(shop1);
    await open(shop1, code);
    await counted(shop1, 1);
    response.writeHead(200, { 'x-line-request-id': 'a'.repeat(36), 'content-type': 'application/json' });
    response.end('{}');
  });
  assert.equal((await send(shop1, 'broadcast', { messages })).status, 200);
  assert.deepEqual(await counted(shop1, 1), [{ id: 'a'.repeat(36), seq: 1, url: shop, total: 1, people: 1 }]);
  await shop1.server.sql`
    insert into pending_bundles (bot_id, delivery_ids, bytes) select bot_id, array[delivery_id], 1 from deliveries`;
  assert.deepEqual(await counted(shop1, 1), [{ id: 'a'.repeat(36), seq: 1, url: shop, total: 1, people: 1 }]);
});

test('a repeated call with the same retry key has the same links', async (t) => {
  const shop1 = await openShop(t);
  const headers = {
    'x-shoal-track-clicks': 'true',
    'x-line-retry-key': '123e4567-e89b-42d3-a456-426614174000',
  };
  await send(shop1, 'broadcast', { messages }, headers);
  const codes = codesOf(shop1);
  assert.equal((await send(shop1, 'broadcast', { messages }, headers)).status, 409);
  assert.deepEqual(codesOf(shop1), codes);
  await send(shop1, 'broadcast', { messages });
  assert.notDeepEqual(codesOf(shop1), codes);
});

test('the send decides whether clicks are tracked, otherwise the channel does', async (t) => {
  const shop1 = await openShop(t);
  const { server, botId } = shop1;
  await send(shop1, 'broadcast', { messages }, {});
  assert.equal(codesOf(shop1).length, 0);
  await server.sql`update channels set track_clicks = true where bot_id = ${botId}`;
  await send(shop1, 'broadcast', { messages }, {});
  assert.equal(codesOf(shop1).length, 1);
  await send(shop1, 'broadcast', { messages }, { 'x-shoal-track-clicks': 'false' });
  assert.equal(codesOf(shop1).length, 0);
  const requestCount = shop1.line.requests.length;
  assert.equal((await send(shop1, 'broadcast', { messages }, { 'x-shoal-track-clicks': 'yes' })).status, 400);
  assert.equal(shop1.line.requests.length, requestCount);
});

test('without a public address no link is replaced, and requested tracking is rejected', async (t) => {
  const shop1 = await openShop(t, { publicUrl: null });
  assert.equal((await send(shop1, 'broadcast', { messages })).status, 400);
  await shop1.server.sql`update channels set track_clicks = true`;
  await send(shop1, 'broadcast', { messages }, {});
  assert.equal(String(shop1.line.requests[0]?.body), JSON.stringify({ messages }));
  assert.equal(shop1.line.requests.length, 1);
});
