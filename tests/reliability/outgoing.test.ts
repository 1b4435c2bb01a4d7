/** Shoal killed while it sends webhooks: each change reaches its endpoint at least once, with one id, and nothing else does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { SeededRandom } from '../../simulator/events/random.ts';
import type { Queryable, Sql } from '../../src/database/client.ts';
import { dayMs } from '../../src/time.ts';
import { databaseEnvironment, serve, shoalJson } from '../harness/cli.ts';
import { earn } from '../harness/points.ts';
import { type Receiver, receiver } from '../harness/receiver.ts';
import { until } from '../harness/until.ts';
import { deliver, type LineHappening, lineBody, lineUser } from '../harness/webhooks.ts';
import { connectedBot } from './connected-bot.ts';

const seed = 20_260_303;
const people = 60;
const earnings = 200;
const kills = 4;
const firstAt = Date.parse('2026-03-01T00:00:00+08:00');

test('through 4 kills during dispatch, each change is sent at least once with one id, and nothing else is sent', async (t) => {
  t.diagnostic(`seed ${seed}`);
  const random = new SeededRandom(seed);
  const { sql, env, onEnd } = await databaseEnvironment(t);
  const environment = { env: { ...env, SHOAL_CALLBACK_PRIVATE: 'true' }, onEnd };
  const botId = await connectedBot(sql, environment);
  const shop = await receiver(t);
  failNowAndThen(shop, random);
  const { secret } = await shoalJson(environment, 'callback', 'set', botId, shop.url);
  let serving = await serve(environment);

  let isSending = true;
  const changing = Promise.all([send(botId, () => serving.address), earnPoints(sql, botId, () => isSending)]);
  for (let kill = 1; kill <= kills; kill += 1) {
    const expectedCount = shop.received.length + 20;
    await until(() => shop.received.length >= expectedCount, `webhooks before kill ${kill}`);
    await pause(random.integer(0, 30));
    await serving.kill();
    // Simulates the minute of a claim.
    await sql`update pending_notices set claimed_until = now() where claimed_until is not null`;
    serving = await serve(environment);
  }
  isSending = false;
  await changing;
  await until(async () => (await pending(sql)) === 0, 'everything is sent');

  const ids = new Map<string, Set<string>>();
  for (const { id, headers, body, type, data } of shop.received) {
    new Webhook(String(secret)).verify(body, headers);
    const change = `${type} ${data.key ?? data.platformContactId}`;
    ids.set(change, (ids.get(change) ?? new Set()).add(id));
  }
  const users = Array.from({ length: people }, (_, index) => lineUser(`person ${index}`));
  const expected = [
    ...users.map((user) => `contact.followed ${user}`),
    ...users.filter((_, index) => isBlocking(index)).map((user) => `contact.blocked ${user}`),
    ...Array.from({ length: earnings }, (_, index) => `points.changed key ${index}`),
  ];
  assert.deepEqual([...ids.keys()].sort(), expected.sort());
  for (const [change, { size }] of ids) assert.equal(size, 1, change);
  const repeated = shop.received.length - expected.length;
  t.diagnostic(`${expected.length} changes, ${repeated} webhooks more than once`);
  assert.ok(repeated > 0, 'nothing was sent twice: the kills and failures had no effect');
});

test('the end of an automatic tag is sent once if the first process is killed before its commit', async (t) => {
  const { sql, env, onEnd } = await databaseEnvironment(t);
  const environment = { env: { ...env, SHOAL_CALLBACK_PRIVATE: 'true' }, onEnd };
  const botId = await connectedBot(sql, environment);
  const shop = await receiver(t);
  await shoalJson(environment, 'callback', 'set', botId, shop.url);
  const end = new Date(Date.now() - 60_000);
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    values (${botId}, 'Ada', 'line', 'U1', now())`;
  await sql`
    insert into tags (bot_id, tag_id, kind, name, created_at, updated_at)
    values (${botId}, 'Tag', 'automatic', 'interested', now(), now())`;
  await sql`
    insert into contact_tags (bot_id, contact_id, tag_id, created_at, ends_at)
    values (${botId}, 'Ada', 'Tag', ${new Date(end.getTime() - dayMs)}, ${end})`;

  // The lock blocks new messages: the process is killed after deleting the assignment and before reporting its end.
  await sql.begin(async (tx) => {
    await tx`lock table notices in exclusive mode`;
    const serving = await serve(environment);
    await until(async () => (await waitingWriters(sql)) > 0, 'the end is being reported');
    await serving.kill();
  });
  await until(async () => (await backendsOf(sql, botId)) === 0, 'PostgreSQL has given up the killed process');
  const [kept] = await sql`select count(*)::integer as count from contact_tags`;
  assert.deepEqual([kept?.count, await pending(sql), shop.received.length], [1, 0, 0]);

  await serve(environment);
  await until(async () => shop.received.length > 0 && (await pending(sql)) === 0, 'the end is reported');
  assert.deepEqual(
    shop.received
      .map(({ body }) => JSON.parse(body))
      .map(({ type, timestamp, data }) => [type, timestamp, data.tag]),
    [['contact.untagged', end.toISOString(), 'interested']],
  );
  assert.deepEqual([...(await sql`select from contact_tags`)], []);
});

/** Processes that wait for the lock to write a message. */
async function waitingWriters(sql: Queryable): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query like '%insert into notices%'`;
  return row?.count ?? 0;
}

/** 1 if a transaction holds the lock of the bot's row, otherwise 0. */
async function backendsOf(sql: Queryable, botId: string): Promise<number> {
  const free = await sql`select from bots where bot_id = ${botId} for no key update skip locked`;
  return 1 - free.length;
}

/** The first attempt of one webhook in twenty fails, with an error or a broken connection. */
function failNowAndThen(shop: Receiver, random: SeededRandom): void {
  const seenIds = new Set<string>();
  shop.answer = ({ id }, response) => {
    const isFirst = !seenIds.has(id);
    seenIds.add(id);
    const failure = isFirst && random.chance(0.05) ? random.pick(['broken', 'refused']) : null;
    if (failure === 'broken') response.socket?.destroy();
    else if (failure === 'refused') response.writeHead(500).end();
    else setTimeout(() => response.end(), random.integer(0, 30));
  };
}

function isBlocking(person: number): boolean {
  return person % 2 === 0;
}

async function send(botId: string, address: () => string): Promise<void> {
  for (let index = 0; index < people; index += 1) {
    const user = `person ${index}`;
    const at = firstAt + index * 1_000;
    const events: LineHappening[] = [{ type: 'follow', id: `follow ${index}`, user, at }];
    if (isBlocking(index)) events.push({ type: 'unfollow', id: `unfollow ${index}`, user, at: at + 500 });
    for (const event of events) {
      const body = lineBody([event]);
      while (!(await isTaken(address(), botId, body))) await pause(50);
    }
  }
}

async function isTaken(address: string, botId: string, body: string): Promise<boolean> {
  const answer = await deliver(address, { botId, platform: 'line' }, body).catch(() => null);
  await answer?.body?.cancel();
  return answer?.status === 200;
}

/** Distributed over the whole time, so that each kill has pending messages. */
async function earnPoints(sql: Sql, botId: string, isTime: () => boolean): Promise<void> {
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    values (${botId}, 'Ada', 'line', 'U1', now())`;
  for (let index = 0; index < earnings; index += 1) {
    const contact = { botId, contactId: 'Ada', key: `key ${index}` };
    await earn(sql, { ...contact, amount: 1, expiresAt: null }, { now: Date.now() });
    if (isTime()) await pause(40);
  }
}

async function pending(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select (select count(*) from pending_notices)::integer + (select count(*) from pending_bundles)::integer as count`;
  return row?.count ?? 0;
}
