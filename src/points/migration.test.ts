import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyDatabase } from '../../tests/harness/database.ts';
import { earn, reverse, spend } from '../../tests/harness/points.ts';
import { migrate, readMigrations } from '../database/migrate.ts';
import { auditPoints } from './audit.ts';
import { availablePoints } from './balances.ts';
import { history } from './history.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const soon = now + 60_000;
const ada = { botId: 'bot', contactId: 'ada' };

test('a ledger that was filled before the lots were one for each expiry goes on with all its points and keys', async (t) => {
  const { sql } = await emptyDatabase(t);
  const migrations = await readMigrations();
  const place = migrations.findLastIndex(({ name }) => name.endsWith('-points.sql'));
  await migrate(sql, migrations.slice(0, place));
  await sql`
    insert into point_accounts (bot_id, contact_id, balance, next_expiry_at) values ('bot', 'ada', 17, ${new Date(soon)})`;
  await sql`
    insert into point_entries (bot_id, contact_id, kind, amount, balance_after, expires_at, key, created_at) values
      ('bot', 'ada', 'earn', 10, 10, ${new Date(soon)}, '1', ${new Date(now)}),
      ('bot', 'ada', 'earn', 5, 15, ${new Date(soon)}, '2', ${new Date(now)}),
      ('bot', 'ada', 'spend', -4, 11, null, '3', ${new Date(now)}),
      ('bot', 'ada', 'earn', 6, 17, null, '4', ${new Date(now)})`;
  await sql`
    insert into point_lots (bot_id, contact_id, amount, remaining, expires_at) values
      ('bot', 'ada', 10, 6, ${new Date(soon)}), ('bot', 'ada', 5, 5, ${new Date(soon)}), ('bot', 'ada', 6, 6, null),
      ('bot', 'ada', 3, 0, null)`;
  await migrate(sql);
  assert.deepEqual(await auditPoints(sql, 'bot'), []);
  const available = async (at: number) =>
    (await availablePoints(sql, { botId: 'bot', contactIds: ['ada'], now: at })).get('ada');
  assert.deepEqual([await available(now), await available(soon)], [17, 6]);
  assert.equal((await spend(sql, { ...ada, key: '3', amount: 4 }, { now })).repeated, true);
  await earn(sql, { ...ada, key: '5', amount: 1, expiresAt: soon }, { now });
  // Of a spend from then it is not known what it took: it comes back for good.
  const { entries } = await history(sql, { ...ada, limit: 10 });
  const entryId = entries.find(({ kind }) => kind === 'spend')?.entryId ?? '';
  await reverse(sql, { ...ada, key: '6', entryId }, { now });
  assert.deepEqual([await available(now), await available(soon)], [22, 10]);
  assert.deepEqual(await auditPoints(sql, 'bot'), []);
});
