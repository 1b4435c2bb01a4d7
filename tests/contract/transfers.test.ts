/**
 * Exports and imports over HTTP: the same figures as the API calls, files that can be imported, and readers that disconnect.
 */

import assert from 'node:assert/strict';
import { get } from 'node:http';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { addTags } from '../../src/tags/tags.ts';
import { putSnapshot } from '../harness/line-figures.ts';
import { seededBytes } from '../harness/random.ts';
import { type TestServer, testServer } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { bodyOf, type ReportedEvent } from '../properties/bodies.ts';
import { call as callMantago } from '../story/calls.ts';

const random = seededBytes(3);

async function shop(t: TestContext) {
  const server = await testServer(t);
  const pair = await server.addBot();
  const { botId } = pair;
  await server.addChannel(botId, { platform: 'line', secret: 'hush' });
  // The account that the webhook bodies of the tests name.
  await server.sql`
    insert into channels (bot_id, platform, account_id, secret_sealed) values (${botId}, 'facebook', 'account', '')`;
  const token = await server.addToken('write');
  const call = async (path: string, init: RequestInit = {}, bot = botId): Promise<Response> =>
    fetch(`${server.address}/api/v1/bots/${bot}/${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    });
  const lines = async (what: string, query = ''): Promise<Record<string, string>[]> => {
    const answer = await call(`exports/${what}?${query}`);
    assert.equal(answer.status, 200);
    return parse(await answer.text(), { columns: true, bom: true });
  };
  return { ...server, ...pair, token, call, lines };
}

async function deliver({ sql, folded }: TestServer, botId: string): Promise<void> {
  const at = Date.parse('2026-03-01T15:59:00Z');
  const events: ReportedEvent[] = [
    { platform: 'line', kind: 'follow', id: 1, person: 1, at },
    { platform: 'line', kind: 'message', id: 2, person: 1, at: at + 30_000 },
    { platform: 'line', kind: 'message', id: 3, person: 1, at: at + 90_000 },
    { platform: 'line', kind: 'follow', id: 4, person: 2, at: at + 100_000 },
    { platform: 'line', kind: 'unfollow', id: 5, person: 2, at: at + 200_000 },
    { platform: 'line', kind: 'message', id: 6, person: 1, at: at + 5_000_000 },
    { platform: 'facebook', kind: 'message', id: 1, person: 1, at: at + 1_000 },
    { platform: 'facebook', kind: 'echo', id: 2, person: 1, at: at + 9_000 },
  ];
  // Late, repeated and in reverse order.
  const deliveries = [...events, ...events.slice(2, 6)].reverse().map((event) => ({
    botId,
    platform: event.platform,
    source: 'webhook' as const,
    body: Buffer.from(bodyOf(event)),
    receivedAt: Date.now(),
  }));
  await putDeliveries(sql, deliveries);
  await folded();
  const value = { status: 'ready', apiPush: 7, apiBroadcast: 100 };
  await putSnapshot(sql, { botId, kind: 'delivery', day: '2026-03-01', value, receivedAt: Date.now() });
  await sql.begin(async (tx) => {
    const rows = await tx<{ contactId: string }[]>`
      select contact_id as "contactId" from contacts where bot_id = ${botId} and platform = 'line'`;
    const tags = rows.slice(0, 1).map(({ contactId }) => ({ contactId, tag: 'VIP' }));
    await addTags(tx, { botId, tags }, { now: Date.now(), random });
  });
}

test('the sums of the exports equal the figures of MantaGo’s calls and of the management API', async (t) => {
  const server = await shop(t);
  const { botId, address, apiToken, apiSecret, lines, call } = server;
  await deliver(server, botId);
  const mantago = async (path: string) =>
    (await callMantago(`${address}/openapi/${path}`, { botId, apiToken, apiSecret })).body;
  const clients = Object((await mantago('clients/analysis')).clientAnalysis);
  const message = await mantago('message/analysis');
  const { platforms } = JSON.parse(await (await call('figures')).text());
  const contacts = await lines('contacts');
  const [conversations, messages] = [await lines('conversations'), await lines('messages')];
  const of = (rows: Record<string, string>[], platform: string, column?: string) =>
    rows
      .filter((row) => row.platform === platform)
      .reduce((sum, row) => sum + (column === undefined ? 1 : Number(row[column])), 0);
  const having = (platform: string, column: string) =>
    contacts.filter((row) => row.platform === platform && row[column] === 'true').length;
  for (const [platform, prefix] of [
    ['line', 'line'],
    ['facebook', 'fb'],
  ] as const) {
    const numbers = of(messages, platform, 'inbound') + of(messages, platform, 'outbound');
    assert.deepEqual([clients[`${prefix}MessageNumbers`], platforms[platform].messages], [numbers, numbers]);
    const followers = having(platform, 'follower');
    assert.deepEqual([clients[`${prefix}Followers`], platforms[platform].followers], [followers, followers]);
    assert.equal(clients[`${prefix}Blocks`], having(platform, 'blocked'));
    const held = of(conversations, platform);
    const average = (column: string, unit: number) =>
      held === 0 ? 0 : Math.floor(of(conversations, platform, column) / held / unit + 0.5);
    assert.equal(message[`${prefix}AverageConversationValue`], average('messages', 1));
    assert.equal(message[`${prefix}AverageConversationTime`], average('duration_ms', 1_000));
  }
  assert.deepEqual(
    [clients.lineMessageNumbers, clients.lineFollowers, clients.lineBlocks, clients.lineTagCoverRate],
    [110, 2, 1, 0.5],
  );
  assert.equal(message.lineAverageConversationValue, 2);
});

test('an export of contacts can be imported into another bot and exported again unchanged', async (t) => {
  const server = await shop(t);
  const { botId, sql, call, lines } = server;
  await deliver(server, botId);
  await sql`
    insert into contact_profiles (bot_id, contact_id, customer_id, name, remark, user_phone, user_address, updated_at)
    select bot_id, contact_id, '=C|1', '''=name', E'two\nlines, "quoted"', '+886 912', ' spaces ', now()
    from contacts where bot_id = ${botId}`;
  const importedFields = [
    'platform',
    'platform_contact_id',
    'customer_id',
    'name',
    'remark',
    'user_phone',
    'user_address',
    'tags',
  ];
  const pick = (rows: Record<string, string>[]) =>
    rows.map((row) => importedFields.map((name) => row[name])).sort();
  const before = await lines('contacts');
  assert.equal(before.length, 3);
  for (const [format, type] of [
    ['csv', 'text/csv'],
    ['ndjson', 'application/x-ndjson'],
  ] as const) {
    const { botId: other } = await server.addBot();
    const file = await (await call(`exports/contacts?format=${format}&bom=true`)).text();
    const post = { method: 'POST', headers: { 'content-type': type }, body: file };
    const imported = await (await call('imports/contacts', post, other)).json();
    assert.deepEqual(imported, { botId: other, lines: 3, added: 3, updated: 3, tagged: 1 });
    const again = await (await call('imports/contacts', post, other)).json();
    assert.deepEqual(again, { botId: other, lines: 3, added: 0, updated: 0, tagged: 0 });
    const after: Record<string, string>[] = parse(await (await call('exports/contacts', {}, other)).text(), {
      columns: true,
    });
    assert.deepEqual(pick(after), pick(before));
    assert.ok(after.every(({ follower, blocked }) => follower === 'false' && blocked === 'false'));
  }
});

test('a download has its content type and file name, and a HEAD request exports nothing', async (t) => {
  const { call, botId, sql } = await shop(t);
  const csv = await call('exports/figures?bom=true');
  assert.equal(csv.headers.get('content-type'), 'text/csv; charset=utf-8; header=present');
  assert.equal(csv.headers.get('content-disposition'), `attachment; filename="shoal-figures-${botId}.csv"`);
  assert.deepEqual([csv.headers.get('cache-control'), csv.headers.get('etag')], ['no-store', null]);
  assert.deepEqual([...new Uint8Array(await csv.arrayBuffer()).slice(0, 3)], [0xef, 0xbb, 0xbf]);
  const ndjson = await call('exports/events?format=ndjson');
  assert.equal(ndjson.headers.get('content-type'), 'application/x-ndjson; charset=utf-8');
  assert.equal(await ndjson.text(), '');
  await sql`alter table events rename to elsewhere`;
  assert.equal((await call('exports/events', { method: 'HEAD' })).status, 200);
  assert.equal((await call('exports/events')).status, 500);
  assert.equal((await call('exports/points?from=2026-03-02&to=2026-03-01')).status, 400);
  await sql`alter table elsewhere rename to events`;
});

/** Waits until this number of exports read from the database. */
async function running({ sql }: TestServer, count: number): Promise<void> {
  const look = () => sql`
    select from pg_stat_activity
    where datname = current_database() and query ~ 'exported' and query !~ 'pg_stat_activity' and state <> 'idle'`;
  await until(async () => (await look()).length === count, `${count} exports read`);
}

async function addEvents({ sql }: TestServer, botId: string): Promise<void> {
  await sql`
    insert into events (bot_id, platform, key, kind, detail, happened_at, received_at)
    select ${botId}, 'line', 'e' || number, 'other', repeat('x', 400), '2026-03-01', '2026-03-01'
    from generate_series(1, 50000) number`;
}

test('a reader that stops reading pauses the export, and one that disconnects ends its query', async (t) => {
  const server = await shop(t);
  const { botId, address, token, call } = server;
  await addEvents(server, botId);
  const url = `${address}/api/v1/bots/${botId}/exports/events`;
  for (let turn = 0; turn < 3; turn++) {
    const request = get(url, { headers: { authorization: `Bearer ${token}` }, agent: false });
    request.on('error', () => undefined);
    await new Promise<void>((resolve) => request.once('response', () => resolve()));
    await running(server, 1);
    await pause(100);
    // 20 MB would have arrived long ago, so the export waits for its reader inside its transaction.
    await running(server, 1);
    request.destroy();
    await running(server, 0);
  }
  const whole = await (await call('exports/events')).text();
  assert.equal(whole.split('\n').length, 50_002);
});

test('a failed export and one interrupted by a server shutdown break off', async (t) => {
  const server = await shop(t);
  const { botId, sql, call } = server;
  await addEvents(server, botId);
  const answer = await call('exports/events');
  const reader = answer.body?.getReader();
  assert.ok((await reader?.read())?.value);
  await running(server, 1);
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query ~ 'from exported' and pid <> pg_backend_pid()`;
  await assert.rejects(async () => {
    while (!(await reader?.read())?.done);
  });
  assert.equal((await (await call('exports/events')).text()).split('\n').length, 50_002);
  const late = await call('exports/events');
  const lateReader = late.body?.getReader();
  await lateReader?.read();
  const startedAt = performance.now();
  await server.close();
  assert.ok(performance.now() - startedAt < 8_000);
  await assert.rejects(async () => {
    while (!(await lateReader?.read())?.done);
  });
});
