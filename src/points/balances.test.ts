import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { type AuditDifference, auditPoints, availablePoints, history } from './balances.ts';
import { earn, spend } from './ledger.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const ada = { botId: 'bot', contactId: 'ada' };

test('contacts without points have 0, and another bot sees nothing', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: '1', amount: 10, expiresAt: null }, { now });
  const asked = await availablePoints(sql, { botId: 'bot', contactIds: ['ben', 'ada'], now });
  assert.deepEqual(
    [...asked],
    [
      ['ben', 0],
      ['ada', 10],
    ],
  );
  assert.equal((await availablePoints(sql, { botId: 'other', contactIds: ['ada'], now })).get('ada'), 0);
  assert.equal((await availablePoints(sql, { botId: 'bot', contactIds: [], now })).size, 0);
});

test('history goes back page by page', async (t) => {
  const { sql } = await testDatabase(t);
  for (const key of ['1', '2', '3']) await earn(sql, { ...ada, key, amount: 10, expiresAt: null }, { now });
  const first = await history(sql, { ...ada, limit: 2 });
  assert.deepEqual(
    first.map(({ key }) => key),
    ['3', '2'],
  );
  const second = await history(sql, { ...ada, limit: 2, before: first[1]?.entryId ?? null });
  assert.deepEqual(
    second.map(({ key }) => key),
    ['1'],
  );
});

test('the audit is empty for a right ledger and names the account for every kind of damage', async (t) => {
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
