/**
 * Reads of one server after changes by another one: answers are cached and shared, but none is older than its call.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createLineToken, revokeLineToken } from '../src/bots/line-tokens.ts';
import { importSnapshots } from '../src/line/snapshots.ts';
import { recount } from '../src/rebuild/recount.ts';
import { updateBot } from '../src/rebuild/update-bot.ts';
import { addDays, dayOf, hourMs, lineZone } from '../src/time.ts';
import { forgetContact } from './harness/forget.ts';
import { seededBytes } from './harness/random.ts';
import { type TestServer, testServer } from './harness/server.ts';
import { deliver, lineBody, lineSecret } from './harness/webhooks.ts';

/** LINE Insight caches a token and Shoal's own figures for this long. */
const insightCacheMs = 500;
const timerMs = 50;
const readersCount = 8;
const settings = { secretKey: 'a secret key for tests, long enough' };

type Pair = { apiToken: string; apiSecret: string };
type Servers = { reader: TestServer; other: TestServer; botId: string; pair: Pair };

/** A web server that reads, and a server that makes the changes, on one database. */
async function servers(t: TestContext): Promise<Servers> {
  const other = await testServer(t, settings);
  const reader = await testServer(t, { ...settings, role: 'web' }, { through: async () => other.url });
  const { botId, ...pair } = await other.addBot();
  await other.addChannel(botId, { platform: 'line', secret: lineSecret });
  return { reader, other, botId, pair };
}

async function call({ reader, botId }: Servers, path: string, { apiToken, apiSecret }: Pair, body = {}) {
  const response = await fetch(`${reader.address}/openapi/${path}?botId=${botId}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ secret: apiSecret, ...body }),
  });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, Record<string, unknown>>,
  };
}

async function analysis(servers: Servers, pair = servers.pair): Promise<Record<string, unknown>> {
  const { status, body } = await call(servers, 'clients/analysis', pair);
  assert.equal(status, 200, JSON.stringify(body));
  return body.clientAnalysis ?? {};
}

test('no analysis is older than its call, whichever server folds, recounts or forgets', async (t) => {
  const all = await servers(t);
  const { other, botId } = all;
  let messages = 0;
  let isDone = false;
  // These calls share reads all the time.
  const readers = Array.from({ length: readersCount }, async () => {
    while (!isDone) {
      const before = messages;
      const { lineMessageNumbers } = await analysis(all);
      assert.ok(Number(lineMessageNumbers) >= before, `${lineMessageNumbers} after ${before} were counted`);
    }
  });
  const at = Date.now() - hourMs;
  for (let count = 1; count <= 10; count += 1) {
    const events = [{ type: 'message', id: `message ${count}`, user: 'Ann', at: at + count } as const];
    assert.equal((await deliver(other.address, { botId, platform: 'line' }, lineBody(events))).status, 200);
    await other.folded();
    messages = count;
    assert.equal((await analysis(all)).lineMessageNumbers, count);
  }
  isDone = true;
  await Promise.all(readers);

  await other.sql`update totals set inbound = 99 where bot_id = ${botId}`;
  assert.equal((await analysis(all)).lineMessageNumbers, 99);
  await recount(other.sql, botId, { check: false, progress: () => undefined });
  assert.equal((await analysis(all)).lineMessageNumbers, 10);

  const list = async () => {
    const { body } = await call(all, 'clients', all.pair);
    return body.clientList?.list as unknown[];
  };
  assert.equal((await list()).length, 1);
  const [contact] = await other.sql<{ contact_id: string }[]>`
    select contact_id from contacts where bot_id = ${botId}`;
  const forgotten = { botId, contactId: contact?.contact_id ?? '' };
  await forgetContact(other.sql, forgotten, { now: Date.now(), random: seededBytes(5) });
  assert.deepEqual([(await list()).length, (await analysis(all)).lineMessageNumbers], [0, 10]);
});

test('another conversation gap, time zone or channel state by another server shows at once', async (t) => {
  const all = await servers(t);
  const { other, botId, pair } = all;
  const today = dayOf(Date.now(), lineZone);
  // 20:00 UTC is the next day in Taipei.
  const at = Date.parse(`${addDays(today, -3)}T20:00:00Z`);
  const events = [0, 10, 20].map(
    (minutes) => ({ type: 'message', id: `at ${minutes}`, user: 'Ann', at: at + minutes * 60_000 }) as const,
  );
  await deliver(
    other.address,
    { botId, platform: 'line' },
    lineBody([{ type: 'follow', id: 'first', user: 'Ann', at }, ...events]),
  );
  await other.folded();
  const messagesEach = async () =>
    (await call(all, 'message/analysis', pair)).body.lineAverageConversationValue as unknown;
  const firstDay = async () => {
    const range = { type: 'follower', startTime: addDays(today, -6), endTime: today };
    const { body } = await call(all, 'clients/statistics', pair, range);
    const days = body.clientStatistics?.lineFollowers as { date: string; count: number }[];
    return days.find(({ count }) => count > 0)?.date;
  };
  assert.deepEqual([await messagesEach(), await firstDay()], [3, addDays(today, -2)]);
  await updateBot(other.sql, botId, { conversationGapSeconds: 60 });
  assert.equal(await messagesEach(), 1);
  await updateBot(other.sql, botId, { timeZone: 'UTC' });
  assert.equal(await firstDay(), addDays(today, -3));
  assert.equal((await analysis(all)).lineIsIntegration, true);
  await other.sql`update channels set enabled = false where bot_id = ${botId}`;
  assert.equal((await analysis(all)).lineIsIntegration, false);
});

test('a pair that another server has replaced is refused at once', async (t) => {
  const all = await servers(t);
  const { other, botId, pair } = all;
  await analysis(all);
  const renewed = (await call({ ...all, reader: other }, 'token', pair)).body as unknown as Pair;
  const refused = await call(all, 'clients/analysis', pair);
  assert.equal(refused.status, 404);
  await analysis(all, renewed);
  assert.equal((await call(all, 'clients/analysis', { ...renewed, apiSecret: pair.apiSecret })).status, 403);
  await other.sql`update api_pairs set replaced_at = now() where bot_id = ${botId}`;
  assert.equal((await call(all, 'clients/analysis', renewed)).status, 404);
});

test('snapshots that another server imports, and tokens that it revokes, count for LINE Insight within half a second', async (t) => {
  const { reader, other, botId } = await servers(t);
  const random = seededBytes(7);
  const { token, tokenId } = await createLineToken(other.sql, botId, {}, { now: Date.now(), random });
  const day = addDays(dayOf(Date.now(), lineZone), -2).replaceAll('-', '');
  const followers = async () => {
    const response = await fetch(`${reader.address}/v2/bot/insight/followers?date=${day}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: response.status, ...((await response.json()) as { followers?: number }) };
  };
  for (const count of [100, 200]) {
    const value = { status: 'ready', followers: count, targetedReaches: count, blocks: 0 };
    await importSnapshots(
      other.sql,
      { botId, entries: [{ kind: 'followers', day, value }] },
      { now: Date.now() },
    );
    await pause(insightCacheMs + timerMs);
    assert.equal((await followers()).followers, count);
    assert.equal((await followers()).followers, count);
  }
  await revokeLineToken(other.sql, { botId, tokenId, now: Date.now() });
  await pause(insightCacheMs + timerMs);
  assert.equal((await followers()).status, 401);
});
