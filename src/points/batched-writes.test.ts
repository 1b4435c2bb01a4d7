import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { earn } from '../../tests/harness/points.ts';
import { repeatedTransaction } from '../database/repeated-transaction.ts';
import { auditPoints } from './audit.ts';
import { batchedWrites } from './batched-writes.ts';
import type { PointChange } from './change.ts';
import { writePoint } from './ledger.ts';

const now = Date.parse('2026-03-01T00:00:00Z');

function earning(contactId: string, key: string): PointChange {
  return { kind: 'earn', contactId, key, amount: 1, expiresAt: null };
}

test('concurrent changes share commits, and each gets its own result or refusal', async (t) => {
  const { sql } = await testDatabase(t);
  const write = batchedWrites(sql);
  const transactions = async () => {
    const [row] = await sql<{ count: number }[]>`
      select count(distinct xmin::text)::integer as count from point_entries`;
    return row?.count;
  };
  const changes = Array.from({ length: 50 }, (_, index) => earning(`contact ${index % 5}`, `${index}`));
  const results = await Promise.all(changes.map((change) => write('bot', change, { now })));
  assert.deepEqual(
    results.map(({ key }) => key),
    changes.map(({ key }) => key),
  );
  assert.equal(await transactions(), 1);
  const [refused, made, repeated, invalid] = await Promise.allSettled([
    write('bot', { kind: 'spend', contactId: 'contact 1', key: 'a', amount: 11 }, { now }),
    write('bot', { kind: 'spend', contactId: 'contact 1', key: 'b', amount: 10 }, { now }),
    write('bot', earning('contact 0', '0'), { now }),
    write('bot', { kind: 'spend', contactId: 'contact 1', key: 'c', amount: 0 }, { now }),
  ]);
  assert.equal(refused.status === 'rejected' && refused.reason.code, 'POINTS_INSUFFICIENT');
  assert.equal(made.status === 'fulfilled' && made.value.available, 0);
  assert.equal(repeated.status === 'fulfilled' && repeated.value.repeated, true);
  assert.equal(invalid.status === 'rejected' && invalid.reason.code, 'INPUT_INVALID');
  assert.deepEqual(await auditPoints(sql, 'bot'), []);
});

test('a change that waits for a locked account does not delay other changes', async (t) => {
  const { sql } = await testDatabase(t);
  const write = batchedWrites(sql);
  await earn(sql, { botId: 'bot', contactId: 'ada', key: 'seed', amount: 1, expiresAt: null }, { now });
  const order: string[] = [];
  const done = (name: string) => () => order.push(name);
  const locked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const holder = repeatedTransaction(sql, async (tx) => {
    await writePoint(tx, 'bot', earning('ada', 'held'), { now });
    locked.resolve();
    await release.promise;
  }).then(done('holder'));
  await locked.promise;
  const stuck = write('bot', earning('ada', '1'), { now }).then(done('ada'));
  await new Promise((resolve) => setImmediate(resolve));
  await write('bot', earning('ben', '2'), { now }).then(done('ben'));
  release.resolve();
  await Promise.all([holder, stuck]);
  assert.equal(order[0], 'ben');
  assert.equal(order.length, 3);
});
