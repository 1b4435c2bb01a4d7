import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { earn } from '../../tests/harness/points.ts';
import { availablePoints } from './balances.ts';

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
