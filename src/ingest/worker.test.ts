/** The worker on a backlog: it folds and reports each of many successive batches once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { testDatabase } from '../../tests/harness/database.ts';
import { seededBytes } from '../../tests/harness/random.ts';
import { waitUntilFolded } from '../../tests/harness/server.ts';
import { lineBody } from '../../tests/harness/webhooks.ts';
import type { Sql } from '../database/client.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { recount } from '../rebuild/recount.ts';
import { dayMs } from '../time.ts';
import { Worker } from './worker.ts';

const now = Date.parse('2026-03-18T03:00:00.000Z');
const bundleSize = 200;
/** More than the first batch takes, and the second. */
const backlog = 8_000;
const people = 300;

/** A bot with messages of some hundred people, one in each delivery. */
async function addBotWithBacklog(sql: Sql, botId: string): Promise<void> {
  await sql`insert into bots (bot_id, name, time_zone) values (${botId}, 'test', 'Asia/Taipei')`;
  for (let start = 0; start < backlog; start += bundleSize) {
    const deliveries = Array.from({ length: bundleSize }, (_, index) => {
      const id = `${start + index}`;
      const at = now - dayMs + (start + index) * 1_000;
      const body = Buffer.from(lineBody([{ type: 'message', id, user: `${(start + index) % people}`, at }]));
      return { botId, platform: 'line', source: 'webhook', body, receivedAt: at } as const;
    });
    await putDeliveries(sql, deliveries);
  }
}

/** A worker, and the number of deliveries that it reported. */
function startWorker(
  sql: Sql,
  seed: number,
  folded: () => void = () => undefined,
): [worker: Worker, reported: { deliveries: number }] {
  const reported = { deliveries: 0 };
  const worker = new Worker(sql, {
    slots: 2,
    clock: () => now,
    random: seededBytes(seed),
    log: pino({ level: 'silent' }),
    onFold({ deliveries }) {
      reported.deliveries += deliveries;
      folded();
    },
  });
  worker.start();
  return [worker, reported];
}

async function pendingDeliveries(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select coalesce(sum(cardinality(delivery_ids)), 0)::integer as count from pending_bundles`;
  return row?.count ?? 0;
}

async function assertRight(sql: Sql, botId: string): Promise<void> {
  const [row] = await sql`select inbound from totals where bot_id = ${botId} and platform = 'line'`;
  assert.equal(row?.inbound, backlog);
  assert.deepEqual(await recount(sql, botId, { check: true, progress: () => undefined }), []);
}

test('two workers on the backlogs of two bots fold and report each delivery once', async (t) => {
  const { sql } = await testDatabase(t);
  const bots = ['A', 'B'];
  for (const botId of bots) await addBotWithBacklog(sql, botId);
  const started = [startWorker(sql, 1), startWorker(sql, 2)];
  await waitUntilFolded(sql);
  await Promise.all(started.map(([worker]) => worker.stop()));
  assert.equal(
    started.reduce((sum, [, reported]) => sum + reported.deliveries, 0),
    bots.length * backlog,
  );
  for (const botId of bots) await assertRight(sql, botId);
});

test('a worker that is stopped within a backlog completes its batch, and the next worker continues', async (t) => {
  const { sql } = await testDatabase(t);
  await addBotWithBacklog(sql, 'A');
  const firstBatch = Promise.withResolvers<void>();
  const [first, reported] = startWorker(sql, 1, firstBatch.resolve);
  await firstBatch.promise;
  await first.stop();
  const pending = await pendingDeliveries(sql);
  assert.equal(reported.deliveries, backlog - pending);
  assert.ok(pending > 0, 'it had no time to fold everything');
  const [row] = await sql`
    select count(*)::integer as count from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
      and backend_type = 'client backend'`;
  assert.equal(row?.count, 0, 'no transaction is left');
  const [second] = startWorker(sql, 2);
  await waitUntilFolded(sql);
  await second.stop();
  await assertRight(sql, 'A');
});

/** A delivery with one message of the bot's only person. */
function deliveryOf(botId: string, id: string) {
  const body = Buffer.from(lineBody([{ type: 'message', id, user: botId, at: now - dayMs }]));
  return { botId, platform: 'line', source: 'webhook', body, receivedAt: now - dayMs } as const;
}

test('of many bots in a batch, a delivery that cannot be folded is set aside alone, and every other one counts once', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`alter table events add constraint foldable check (key not like 'poison%')`;
  const bots = Array.from({ length: 60 }, (_, index) => `bot-${index}`);
  await sql`insert into bots (bot_id, name, time_zone) select id, id, 'Asia/Taipei' from unnest(${bots}::text[]) id`;
  const perBot = 4;
  const bad = ['bot-7', 'bot-41'];
  for (let n = 0; n < perBot; n++) {
    await putDeliveries(
      sql,
      bots.flatMap((botId) => [
        deliveryOf(botId, `${botId} ${n}`),
        ...(n === 2 && bad.includes(botId) ? [deliveryOf(botId, `poison ${botId}`)] : []),
      ]),
    );
  }
  const [worker, reported] = startWorker(sql, 1);
  await waitUntilFolded(sql);
  await worker.stop();
  assert.equal(reported.deliveries, bots.length * perBot + bad.length);
  const setAside = await sql<{ bot: string; reason: string; body: string }[]>`
    select bot_id as bot, set_aside_reason as reason, convert_from(body, 'UTF8') as body from deliveries
    where set_aside_reason is not null order by delivery_id`;
  assert.deepEqual(
    setAside.map(({ bot }) => bot),
    bad,
  );
  for (const { reason, body } of setAside) {
    assert.equal(reason, 'could not be folded: PostgresError');
    assert.match(body, /poison/);
  }
  const totals = await sql<{ bot: string; inbound: number }[]>`
    select bot_id as bot, inbound from totals where platform = 'line'`;
  assert.deepEqual(
    new Map(totals.map(({ bot, inbound }) => [bot, inbound])),
    new Map(totals.map(({ bot }) => [bot, perBot])),
  );
  assert.equal(totals.length, bots.length);
  for (const botId of ['bot-0', ...bad])
    assert.deepEqual(await recount(sql, botId, { check: true, progress: () => undefined }), []);
});

test('a bot that keeps failing is folded alone, so the other bots of its batches are not folded again and again', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`alter table events add constraint foldable check (key not like 'poison%')`;
  const bots = Array.from({ length: 32 }, (_, index) => `bot-${index}`);
  await sql`insert into bots (bot_id, name, time_zone) select id, id, 'Asia/Taipei' from unnest(${bots}::text[]) id`;
  const poison = Array.from({ length: 16 }, (_, n) => deliveryOf('bot-3', `poison ${n}`));
  await putDeliveries(sql, [...poison, ...bots.map((botId) => deliveryOf(botId, botId))]);
  const failures: string[] = [];
  const log = pino({ level: 'error' }, { write: (line) => void failures.push(line) });
  const outcomes: number[] = [];
  const worker = new Worker(sql, {
    ...{ slots: 1, clock: () => now, random: seededBytes(1), log },
    onFold: ({ deliveries }) => void outcomes.push(deliveries),
  });
  worker.start();
  await waitUntilFolded(sql);
  await worker.stop();
  assert.equal(
    outcomes.reduce((sum, count) => sum + count, 0),
    bots.length + poison.length,
  );
  const [row] = await sql`
    select count(*)::integer as count from deliveries where set_aside_reason is not null`;
  assert.equal(row?.count, poison.length);
  const ofSeveralBots = failures.filter((line) => 'bots' in JSON.parse(line));
  assert.equal(ofSeveralBots.length, 5, 'batches of 32, 16, 8, 4 and 2 bots failed once');
  assert.equal(
    outcomes.filter((count) => count > 1).length,
    1,
    'the other bots were folded once, in one batch',
  );
});

test('a bot with one delivery is folded between the batches of a bot with a backlog', async (t) => {
  const { sql } = await testDatabase(t);
  await addBotWithBacklog(sql, 'busy');
  await sql`insert into bots (bot_id, name, time_zone) values ('other', 'test', 'Asia/Taipei')`;
  const outcomes: number[] = [];
  const worker = new Worker(sql, {
    ...{ slots: 1, clock: () => now, random: seededBytes(1), log: pino({ level: 'silent' }) },
    onFold: ({ deliveries }) => void outcomes.push(deliveries),
  });
  await sql.begin(async (tx) => {
    await tx`lock table events in share mode`;
    worker.start();
    while ((await tx`select from pg_locks where relation = 'events'::regclass and not granted`).length === 0)
      await pause(10);
    // The first batch is being written, and the second one was read ahead.
    await putDeliveries(sql, [deliveryOf('other', 'a')]);
    worker.wake('other');
  });
  await waitUntilFolded(sql);
  await worker.stop();
  assert.equal(
    outcomes.reduce((sum, count) => sum + count, 0),
    backlog + 1,
  );
  const turn = outcomes.indexOf(1);
  assert.ok(turn === 1 || turn === 2, `deliveries of each batch: ${outcomes.join(', ')}`);
});

test('a poll during the fold of a bot does not make the worker read the bot again', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name, time_zone) values ('A', 'test', 'Asia/Taipei')`;
  await putDeliveries(sql, [deliveryOf('A', 'a')]);
  const counts = { polls: 0, reads: 0 };
  const counted = new Proxy(sql, {
    apply(target, self, args: Parameters<typeof sql>) {
      const text = String(args[0]);
      if (text.includes('with recursive oldest')) counts.polls += 1;
      if (text.includes('from channels')) counts.reads += 1;
      return Reflect.apply(target, self, args);
    },
  });
  const polls = async (count: number) => {
    const until = counts.polls + count;
    while (counts.polls < until) await pause(10);
  };
  const [worker, reported] = startWorker(counted, 1);
  await sql.begin(async (tx) => {
    await tx`lock table events in share mode`;
    while ((await tx`select from pg_locks where relation = 'events'::regclass and not granted`).length === 0)
      await pause(10);
    await polls(3);
  });
  await waitUntilFolded(sql);
  // Longer than the pause of the bot.
  await polls(4);
  await worker.stop();
  assert.deepEqual([counts.reads, reported.deliveries], [1, 1]);
});
