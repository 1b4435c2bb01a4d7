/** Several processes on one database: web and workers apart, workers racing for the same bots, workers killed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from '../../src/database/client.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { databaseEnvironment, serve, shoalJson } from '../harness/cli.ts';
import { waitUntilFolded } from '../harness/server.ts';
import { until, waitMsMax } from '../harness/until.ts';
import { deliver, lineBody } from '../harness/webhooks.ts';
import { connectedBot } from './connected-bot.ts';

const firstAt = Date.parse('2026-03-01T00:00:00+08:00');
const connections = 8;

/** Sends LINE deliveries of one message each to the bots in turn. Each must be answered 200. */
async function sendMessages(
  address: string,
  botIds: readonly string[],
  count: number,
  round: string,
): Promise<void> {
  const numbers = Array.from({ length: count }, (_, number) => number).values();
  const send = async () => {
    for (const number of numbers) {
      for (const botId of botIds) {
        const id = `${round}-${number}`;
        const body = lineBody([
          { type: 'message', id, user: `user-${number % 20}`, at: firstAt + number * 1_000 },
        ]);
        assert.equal((await deliver(address, { botId, platform: 'line' }, body)).status, 200);
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, send));
}

async function foldedCount(sql: Sql): Promise<number> {
  const [row] = await sql<
    { count: number }[]
  >`select coalesce(sum(inbound), 0)::integer as count from totals`;
  return row?.count ?? 0;
}

async function waitUntilFoldedBeyond(sql: Sql, count: number): Promise<void> {
  await until(async () => (await foldedCount(sql)) > count, `more than ${count} messages are counted`);
}

test('two workers race on three bots, each is killed once, and every message counts once', async (t) => {
  const environment = await databaseEnvironment(t);
  const botIds = [
    await connectedBot(environment.sql, environment),
    await connectedBot(environment.sql, environment),
    await connectedBot(environment.sql, environment),
  ];
  const web = await serve(environment, '--role', 'web');
  const [first, second] = await Promise.all([
    serve(environment, '--role', 'worker'),
    serve(environment, '--role', 'worker'),
  ]);

  const sending = sendMessages(web.address, botIds, 400, 'a');
  await waitUntilFoldedBeyond(environment.sql, 100);
  await first.kill();
  await waitUntilFoldedBeyond(environment.sql, await foldedCount(environment.sql));
  const third = await serve(environment, '--role', 'worker');
  await second.kill();
  await sending;
  await sendMessages(web.address, botIds, 100, 'b');
  await waitUntilFolded(environment.sql);
  assert.equal(await third.stop(), 0);

  assert.equal(await foldedCount(environment.sql), 3 * (400 + 100));
  for (const botId of botIds) {
    const { differences } = await shoalJson(environment, 'recount', botId, '--check');
    assert.deepEqual(differences, []);
  }
});

test('a web process alone stores deliveries and processes none; a worker that starts later processes them all', async (t) => {
  const environment = await databaseEnvironment(t);
  const botId = await connectedBot(environment.sql, environment);
  const web = await serve(environment, '--role', 'web');
  await sendMessages(web.address, [botId], 20, 'a');
  await pause(500);
  assert.equal(await foldedCount(environment.sql), 0);
  const { deliveries } = await shoalJson(environment, 'deliveries', 'list', botId, '--state', 'pending');
  assert.ok(Array.isArray(deliveries));
  assert.equal(deliveries.length, 20);

  await serve(environment, '--role', 'worker');
  await waitUntilFolded(environment.sql);
  assert.equal(await foldedCount(environment.sql), 20);
});

test('a worker killed in the middle of batches over many bots leaves every delivery to be counted once', async (t) => {
  const environment = await databaseEnvironment(t);
  const { sql } = environment;
  const botIds = Array.from({ length: 400 }, (_, index) => `many-${index}`);
  await sql`insert into bots (bot_id, name, time_zone) select id, id, 'Asia/Taipei' from unnest(${botIds}::text[]) id`;
  const perBot = 10;
  for (let number = 0; number < perBot; number++) {
    const at = firstAt + number * 1_000;
    await putDeliveries(
      sql,
      botIds.map((botId) => ({
        ...{ botId, platform: 'line', source: 'webhook', receivedAt: at },
        body: Buffer.from(lineBody([{ type: 'message', id: `${number}`, user: `${number % 3}`, at }])),
      })),
    );
  }
  for (let kill = 0; kill < 3; kill++) {
    const worker = await serve(environment, '--role', 'worker');
    await waitForFold(sql);
    await worker.kill();
  }
  const last = await serve(environment, '--role', 'worker');
  await waitUntilFolded(sql);
  assert.equal(await last.stop(), 0);
  assert.equal(await foldedCount(sql), botIds.length * perBot);
  for (const botId of botIds.slice(0, 3)) {
    const { differences } = await shoalJson(environment, 'recount', botId, '--check');
    assert.deepEqual(differences, []);
  }
});

/** Waits until a fold is in the middle of its transaction, or nothing is left to fold. */
async function waitForFold(sql: Sql): Promise<void> {
  const endsAt = performance.now() + waitMsMax;
  for (;;) {
    const [row] = await sql<{ folding: boolean; pending: boolean }[]>`
      select exists (
        select from pg_stat_activity
        where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()
          and query like '%insert into%'
      ) as folding, exists (select from pending_bundles) as pending`;
    if (row?.folding || !row?.pending) return;
    assert.ok(performance.now() < endsAt, 'no fold began');
    await pause(2);
  }
}
