import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { adjust, clear, earn, reverse, spend, transfer } from '../../tests/harness/points.ts';
import type { Sql } from '../database/client.ts';
import { auditPoints } from './audit.ts';
import { availablePoints } from './balances.ts';
import { history } from './history.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const soon = now + 60_000;
const later = now + 120_000;
const ada = { botId: 'bot', contactId: 'ada' };
const ben = { botId: 'bot', contactId: 'ben' };

/** The available points of Ada and Ben, now and after those of `soon` have expired. */
async function left(sql: Sql): Promise<number[][]> {
  assert.deepEqual(await auditPoints(sql, 'bot'), []);
  const at = async (moment: number) => [
    ...(await availablePoints(sql, { botId: 'bot', contactIds: ['ada', 'ben'], now: moment })).values(),
  ];
  return Promise.all([at(now), at(soon)]);
}

test('a reversed spend returns its points with their expiry', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: '1', amount: 20, expiresAt: soon }, { now });
  await earn(sql, { ...ada, key: '2', amount: 20, expiresAt: null }, { now });
  const { entryId } = await spend(sql, { ...ada, key: '3', amount: 30 }, { now });
  const reversed = await reverse(sql, { ...ada, key: '4', entryId }, { now });
  assert.deepEqual([reversed.amount, reversed.available], [30, 40]);
  assert.deepEqual(await left(sql), [
    [40, 0],
    [20, 0],
  ]);
});

test('a reversed spend does not return points that expired since', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: '1', amount: 20, expiresAt: soon }, { now });
  await earn(sql, { ...ada, key: '2', amount: 20, expiresAt: null }, { now });
  const first = await spend(sql, { ...ada, key: '3', amount: 30 }, { now });
  assert.equal((await reverse(sql, { ...ada, key: '4', entryId: first.entryId }, { now: soon })).amount, 10);
  await earn(sql, { ...ada, key: '5', amount: 1, expiresAt: later }, { now: soon });
  const second = await spend(sql, { ...ada, key: '6', amount: 1 }, { now: soon });
  const nothing = await reverse(sql, { ...ada, key: '7', entryId: second.entryId }, { now: later });
  assert.deepEqual([nothing.amount, nothing.available], [0, 20]);
});

test('a reversed earning takes its points back, and other points for those already spent', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: '1', amount: 10, expiresAt: soon }, { now });
  const { entryId } = await earn(sql, { ...ada, key: '2', amount: 20, expiresAt: later }, { now });
  await spend(sql, { ...ada, key: '3', amount: 15 }, { now });
  await assert.rejects(reverse(sql, { ...ada, key: '4', entryId }, { now }), {
    code: 'POINTS_INSUFFICIENT',
    message: 'Insufficient points: 20 requested, 15 available.',
  });
  await earn(sql, { ...ada, key: '5', amount: 10, expiresAt: soon }, { now });
  assert.equal((await reverse(sql, { ...ada, key: '4', entryId }, { now })).amount, -20);
  assert.deepEqual(await left(sql), [
    [5, 0],
    [0, 0],
  ]);
});

test('reversing an expired earning takes nothing', async (t) => {
  const { sql } = await testDatabase(t);
  const { entryId } = await earn(sql, { ...ada, key: '1', amount: 10, expiresAt: soon }, { now });
  await earn(sql, { ...ada, key: '2', amount: 5, expiresAt: null }, { now });
  const reversed = await reverse(sql, { ...ada, key: '3', entryId }, { now: soon });
  assert.deepEqual([reversed.amount, reversed.available], [0, 5]);
});

test('reversing either entry of a transfer undoes both sides, and the points return to the sender', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: '1', amount: 20, expiresAt: soon }, { now });
  await earn(sql, { ...ada, key: '2', amount: 20, expiresAt: null }, { now });
  await transfer(sql, { ...ada, key: '3', toContactId: 'ben', amount: 30 }, { now });
  assert.deepEqual(await left(sql), [
    [10, 30],
    [10, 10],
  ]);
  const [received] = (await history(sql, { ...ben, limit: 1 })).entries;
  assert.ok(received);
  await earn(sql, { ...ben, key: '4', amount: 4, expiresAt: null }, { now });
  await spend(sql, { ...ben, key: '5', amount: 4 }, { now });
  const reversed = await reverse(sql, { ...ben, key: '6', entryId: received.entryId }, { now });
  assert.deepEqual(
    [reversed.contactId, reversed.amount, reversed.counterpartId, reversed.available],
    ['ada', 30, 'ben', 40],
  );
  assert.deepEqual(await left(sql), [
    [40, 0],
    [20, 0],
  ]);
  const sentEntry = (await history(sql, { ...ada, limit: 10 })).entries.find(
    ({ kind }) => kind === 'transfer',
  );
  assert.ok(sentEntry);
  assert.equal(sentEntry.reversedBy, reversed.entryId);
  const again = await reverse(sql, { ...ada, key: '6', entryId: sentEntry.entryId }, { now });
  assert.deepEqual(again, { ...reversed, repeated: true });
  await assert.rejects(reverse(sql, { ...ada, key: '7', entryId: sentEntry.entryId }, { now }), {
    code: 'ENTRY_NOT_REVERSIBLE',
  });
});

test('adjustments and clearings can be reversed; expiries and reversals cannot', async (t) => {
  const { sql } = await testDatabase(t);
  const reason = 'counted by hand';
  const added = await adjust(sql, { ...ada, key: '1', amount: 9, expiresAt: later, reason }, { now });
  const taken = await adjust(sql, { ...ada, key: '2', amount: -4, expiresAt: null, reason }, { now });
  const cleared = await clear(sql, { ...ada, key: '3' }, { now });
  assert.equal((await reverse(sql, { ...ada, key: '4', entryId: cleared.entryId }, { now })).amount, 5);
  assert.equal((await reverse(sql, { ...ada, key: '5', entryId: taken.entryId }, { now })).amount, 4);
  const reversal = await reverse(sql, { ...ada, key: '6', entryId: added.entryId }, { now });
  assert.equal(reversal.available, 0);
  await earn(sql, { ...ada, key: '7', amount: 1, expiresAt: soon }, { now });
  await earn(sql, { ...ada, key: '8', amount: 1, expiresAt: null }, { now: soon });
  const expiry = (await history(sql, { ...ada, limit: 10 })).entries.find(({ kind }) => kind === 'expire');
  const refused = { code: 'ENTRY_NOT_REVERSIBLE' };
  await assert.rejects(reverse(sql, { ...ada, key: '9', entryId: reversal.entryId }, { now }), refused);
  await assert.rejects(reverse(sql, { ...ada, key: '9', entryId: expiry?.entryId ?? '' }, { now }), refused);
  await assert.rejects(reverse(sql, { ...ada, key: '9', entryId: '999' }, { now }), {
    code: 'ENTRY_NOT_FOUND',
  });
  const theirs = { botId: 'other', contactId: 'ada', key: '9', entryId: added.entryId };
  await assert.rejects(reverse(sql, theirs, { now }), { code: 'ENTRY_NOT_FOUND' });
  assert.deepEqual(await auditPoints(sql, 'bot'), []);
});

test('adjustments need a reason, and a repeated key must have the same one', async (t) => {
  const { sql } = await testDatabase(t);
  const change = { ...ada, key: '1', amount: 9, expiresAt: null, reason: 'a gift' };
  await adjust(sql, change, { now });
  await assert.rejects(adjust(sql, { ...change, reason: 'another' }, { now }), { code: 'KEY_REUSED' });
  const refused = { code: 'INPUT_INVALID' };
  await assert.rejects(adjust(sql, { ...change, reason: '' }, { now }), refused);
  await assert.rejects(adjust(sql, { ...change, amount: 0 }, { now }), refused);
  await assert.rejects(adjust(sql, { ...change, amount: -1, expiresAt: later }, { now }), refused);
  await assert.rejects(adjust(sql, { ...change, key: '2', amount: -10 }, { now }), {
    code: 'POINTS_INSUFFICIENT',
  });
});

test('of many callers that reverse one entry at the same time, one succeeds', async (t) => {
  const { sql } = await testDatabase(t);
  const { entryId } = await earn(sql, { ...ada, key: 'all', amount: 10, expiresAt: null }, { now });
  await earn(sql, { ...ada, key: 'more', amount: 90, expiresAt: null }, { now });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 10 }, (_, index) => reverse(sql, { ...ada, key: `${index}`, entryId }, { now })),
  );
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.deepEqual((await left(sql))[0], [90, 0]);
});
