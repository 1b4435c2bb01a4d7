import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { earn } from '../../tests/harness/points.ts';
import { history } from './history.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const ada = { botId: 'bot', contactId: 'ada' };

test('history goes back page by page', async (t) => {
  const { sql } = await testDatabase(t);
  for (const key of ['1', '2', '3']) await earn(sql, { ...ada, key, amount: 10, expiresAt: null }, { now });
  const first = await history(sql, { ...ada, limit: 2 });
  assert.deepEqual(
    first.entries.map(({ key }) => key),
    ['3', '2'],
  );
  const second = await history(sql, { ...ada, limit: 2, before: first.next });
  assert.deepEqual(
    second.entries.map(({ key }) => key),
    ['1'],
  );
});
