import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
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
    for (let count = 0; count < 3; count += 1)
      refused.note({ botId: 'shop', platform: 'line' }, 'wrong-signature', now - count);
    refused.note({ botId: 'shop', platform: 'line' }, 'wrong-signature', now - 23 * hourMs);
    refused.note({ botId: 'shop', platform: 'facebook' }, 'wrong-signature', now - 24 * hourMs);
    refused.note({ botId: 'other', platform: 'line' }, 'wrong-signature', now);
    await refused.write(sql);
    await refused.write(sql);
  }
  const summaries = await readRefused(sql, 'shop', now);
  assert.deepEqual(
    summaries.toSorted((one, other) => (one.platform < other.platform ? -1 : 1)),
    [
      { platform: 'facebook', reason: 'wrong-signature', count: 0, lastAt: new Date(now - 24 * hourMs) },
      { platform: 'line', reason: 'wrong-signature', count: 8, lastAt: new Date(now) },
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
  for (let count = 0; count < 100_000; count += 1)
    refused.note({ botId: 'shop', platform: 'line' }, 'wrong-signature', now);
  await sql`alter table refused_deliveries rename to refused_deliveries_elsewhere`;
  await assert.rejects(refused.write(sql), /relation "refused_deliveries" does not exist/);
  await sql`alter table refused_deliveries_elsewhere rename to refused_deliveries`;
  refused.note({ botId: 'shop', platform: 'line' }, 'wrong-signature', now + 1);
  await refused.write(sql);
  assert.deepEqual(
    [...(await readRefused(sql, 'shop', now))],
    [{ platform: 'line', reason: 'wrong-signature', count: 100_001, lastAt: new Date(now + 1) }],
  );
  const [stored] = await sql`select count(*)::integer as rows from refused_deliveries`;
  assert.equal(stored?.rows, 1);
});

test('a server counts refused requests by reason, and stores nothing of the requests', async (t) => {
  const server = await testServer(t);
  const { botId } = await server.addBot();
  const secret = 'a-channel-secret';
  await server.addChannel(botId, { platform: 'line', secret, accountId: `U${'1'.repeat(32)}` });
  const before = Date.now();
  const post = async (body: string, signature: string) =>
    (
      await fetch(`${server.address}/webhooks/${botId}/line`, {
        method: 'POST',
        headers: { 'x-line-signature': signature },
        body,
      })
    ).status;
  for (let count = 0; count < 5; count += 1) assert.equal(await post('{"events":[]}', 'forged'), 401);
  assert.equal(await post('x'.repeat(3 * 1024 * 1024 + 1), 'forged'), 413);
  const elsewhere = JSON.stringify({
    destination: `U${'2'.repeat(32)}`,
    events: [
      { type: 'follow', webhookEventId: 'E1', timestamp: before, source: { type: 'user', userId: 'U1' } },
    ],
  });
  const signature = createHmac('sha256', secret).update(elsewhere).digest('base64');
  assert.equal(await post(elsewhere, signature), 200);
  const read = await (async () => {
    for (const end = Date.now() + waitMsMax; ; ) {
      const refused = await readRefused(server.sql, botId, Date.now());
      if (refused.length > 2 || Date.now() > end) return refused;
      await pause(200);
    }
  })();
  assert.deepEqual(read.map(({ platform, reason, count }) => [platform, reason, count]).toSorted(), [
    ['line', 'other-account', 1],
    ['line', 'too-large', 1],
    ['line', 'wrong-signature', 5],
  ]);
  assert.ok(read.every(({ lastAt }) => lastAt.getTime() >= before));
  const [stored] = await server.sql`select count(*)::integer as count from deliveries`;
  assert.equal(stored?.count, 1);
});
