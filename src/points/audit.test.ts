import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { earn, reverse, spend, transfer } from '../../tests/harness/points.ts';
import type { Transaction } from '../database/client.ts';
import { type AuditDifference, auditPoints } from './audit.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const ada = { botId: 'bot', contactId: 'ada' };

test('the audit is empty for a correct ledger, and names the account for every kind of damage', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: '1', amount: 10, expiresAt: now + 1_000 }, { now });
  await spend(sql, { ...ada, key: '2', amount: 4 }, { now });
  assert.deepEqual(await auditPoints(sql, 'bot'), []);
  const damages = [
    sql`update point_accounts set balance = balance + 1`,
    sql`delete from point_accounts`,
    sql`update point_accounts set next_expiry_at = null`,
    sql`update point_lots set remaining = remaining - 1`,
    sql`delete from point_lots`,
    sql`delete from point_entries where key = '2'`,
    sql`update point_entries set amount = -3 where key = '2'`,
    sql`update point_entries set balance_after = 7 where key = '2'`,
  ];
  for (const damage of damages) {
    const undo = new Error('undo');
    let found: AuditDifference[] = [];
    const damaged = sql.begin(async (tx) => {
      await tx`${damage}`;
      found = await auditPoints(tx, 'bot');
      throw undo;
    });
    await assert.rejects(damaged, undo);
    assert.deepEqual(
      found.map(({ contactId }) => contactId),
      ['ada'],
    );
  }
});

test('the audit names both sides of an unbalanced transfer, and reversals of missing entries', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: '1', amount: 10, expiresAt: null }, { now });
  await transfer(sql, { ...ada, key: '2', toContactId: 'ben', amount: 4 }, { now });
  const spent = await spend(sql, { ...ada, key: '3', amount: 3 }, { now });
  await reverse(sql, { ...ada, key: '4', entryId: spent.entryId }, { now });
  assert.deepEqual(await auditPoints(sql, 'bot'), []);
  const found = async (damage: (tx: Transaction) => Promise<unknown>) => {
    const undo = new Error('undo');
    let named: unknown[] = [];
    const damaged = sql.begin(async (tx) => {
      await damage(tx);
      const differences = await auditPoints(tx, 'bot');
      named = differences.map(({ contactId, unpaired, unfounded }) => [contactId, unpaired, unfounded]);
      throw undo;
    });
    await assert.rejects(damaged, undo);
    return named;
  };
  const unpaired = [
    ['ada', 1, 0],
    ['ben', 1, 0],
  ];
  // The sums are right in all of these: only the entries do not belong together.
  assert.deepEqual(
    await found((tx) => tx`update point_entries set pair_id = 999 where kind = 'transfer' and leads`),
    unpaired,
  );
  assert.deepEqual(
    await found((tx) => tx`update point_entries set key = 'x' where kind = 'transfer' and leads`),
    unpaired,
  );
  const unfounded = [['ada', 0, 1]];
  assert.deepEqual(
    await found((tx) => tx`update point_entries set reverses = 999 where kind = 'reverse'`),
    unfounded,
  );
  assert.deepEqual(
    await found((tx) => tx`update point_entries set reverses = 1 where kind = 'reverse'`),
    unfounded,
  );
});
