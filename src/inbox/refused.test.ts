import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { testDatabase } from '../../tests/harness/database.ts';
import { testServer } from '../../tests/harness/server.ts';
import { dayMs, hourMs } from '../time.ts';
import { purgeRefused, RefusedDeliveries, readRefused } from './refused.ts';

const now = Date.parse('2026-03-01T10:20:00Z');
const waitMsMax = 60_000;

test('refused deliveries are counted by channel and hour, across all processes', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop'), ('other', 'Other')`;
  const processes = [new RefusedDeliveries(), new RefusedDeliveries()];
  for (const refused of processes) {
    for (let count = 0; count < 3; count += 1) refused.note('shop', 'line', now - count);
    refused.note('shop', 'line', now - 23 * hourMs);
    refused.note('shop', 'facebook', now - 24 * hourMs);
    refused.note('other', 'line', now);
    await refused.write(sql);
    await refused.write(sql);
  }
  const summaries = await readRefused(sql, 'shop', now);
  assert.deepEqual(
    summaries.toSorted((one, other) => (one.platform < other.platform ? -1 : 1)),
    [
      { platform: 'facebook', count: 0, lastAt: new Date(now - 24 * hourMs) },
      { platform: 'line', count: 8, lastAt: new Date(now) },
    ],
  );
  await purgeRefused(sql, 'shop', { now: now + 30 * dayMs - hourMs });
  assert.deepEqual(
    (await readRefused(sql, 'shop', now)).map(({ platform, count }) => [platform, count]),
    [['line', 6]],
  );
});

test('a flood of forged requests writes one row, and a count whose write failed is in the next write', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
  const refused = new RefusedDeliveries();
  for (let count = 0; count < 100_000; count += 1) refused.note('shop', 'line', now);
  await sql`alter table refused_deliveries rename to refused_deliveries_elsewhere`;
  await assert.rejects(refused.write(sql), /relation "refused_deliveries" does not exist/);
  await sql`alter table refused_deliveries_elsewhere rename to refused_deliveries`;
  refused.note('shop', 'line', now + 1);
  await refused.write(sql);
  assert.deepEqual(
    [...(await readRefused(sql, 'shop', now))],
    [{ platform: 'line', count: 100_001, lastAt: new Date(now + 1) }],
  );
  const [stored] = await sql`select count(*)::integer as rows from refused_deliveries`;
  assert.equal(stored?.rows, 1);
});

test('a server stores the count of forged requests, and nothing of the requests', async (t) => {
  const server = await testServer(t);
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: 'a-channel-secret' });
  const before = Date.now();
  for (let count = 0; count < 5; count += 1) {
    const response = await fetch(`${server.address}/webhooks/${botId}/line`, {
      method: 'POST',
      headers: { 'x-line-signature': 'forged' },
      body: '{"events":[]}',
    });
    assert.equal(response.status, 401);
  }
  const [read] = await (async () => {
    for (const end = Date.now() + waitMsMax; ; ) {
      const refused = await readRefused(server.sql, botId, Date.now());
      if (refused.length > 0 || Date.now() > end) return refused;
      await pause(200);
    }
  })();
  assert.ok(read && read.lastAt.getTime() >= before);
  assert.deepEqual([read.platform, read.count], ['line', 5]);
  const [pending] = await server.sql`select count(*)::integer as count from deliveries`;
  assert.equal(pending?.count, 0);
});
