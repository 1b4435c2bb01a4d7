import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { clear, earn, spend } from '../../tests/harness/points.ts';
import type { Sql } from '../database/client.ts';
import { repeatedTransaction } from '../database/repeated-transaction.ts';
import { auditPoints } from './audit.ts';
import { availablePoints } from './balances.ts';
import { amountMax, balanceMax, expiresAtMax } from './change.ts';
import { history } from './history.ts';
import { writePoints } from './ledger.ts';
import { mergeAccounts } from './merge-accounts.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const later = now + 60_000;
const ada = { botId: 'bot', contactId: 'ada' };

async function available(sql: Sql, at = now, contactId = 'ada'): Promise<number | undefined> {
  const points = await availablePoints(sql, { botId: 'bot', contactIds: [contactId], now: at });
  return points.get(contactId);
}

test('earned points are available until they expire, and not from that instant on', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: 'welcome', amount: 30, expiresAt: later }, { now });
  await earn(sql, { ...ada, key: 'purchase', amount: 12, expiresAt: null }, { now });
  assert.equal(await available(sql, later - 1), 42);
  assert.equal(await available(sql, later), 12);
});

test('spending takes from the lot that expires first, and points with one expiry are one lot', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: '1', amount: 10, expiresAt: null }, { now });
  await earn(sql, { ...ada, key: '2', amount: 10, expiresAt: later }, { now });
  await earn(sql, { ...ada, key: '3', amount: 10, expiresAt: later }, { now });
  await spend(sql, { ...ada, key: '4', amount: 15 }, { now });
  const lots = await sql`select expires_at, remaining from point_lots where bot_id = 'bot'`;
  assert.deepEqual([...lots], [{ expires_at: new Date(later), remaining: 5 }]);
  assert.equal(await available(sql, later), 10);
});

test('a spend above the available points is refused and changes nothing', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: '1', amount: 10, expiresAt: later }, { now });
  await assert.rejects(spend(sql, { ...ada, key: '2', amount: 11 }, { now }), {
    code: 'POINTS_INSUFFICIENT',
  });
  await assert.rejects(spend(sql, { ...ada, key: '2', amount: 1 }, { now: later }), {
    code: 'POINTS_INSUFFICIENT',
    message: 'Insufficient points: 1 requested, 0 available.',
  });
  assert.equal((await history(sql, { ...ada, limit: 10 })).entries.length, 1);
  const spent = await spend(sql, { ...ada, key: '2', amount: 10 }, { now });
  assert.equal(spent.repeated, false, 'a refused change leaves its key free');
});

test('the same key with the same content returns the first result again, even if the change would now be refused', async (t) => {
  const { sql } = await testDatabase(t);
  const change = { ...ada, key: 'order 7', amount: 10, expiresAt: later };
  const first = await earn(sql, change, { now });
  await spend(sql, { ...ada, key: 'order 8', amount: 4 }, { now });
  assert.deepEqual(await earn(sql, change, { now: later + 1 }), { ...first, repeated: true });
  assert.equal(await available(sql), 6);
});

test('the same key with other content is refused', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: 'order 7', amount: 10, expiresAt: later }, { now });
  const refused = { code: 'KEY_REUSED' };
  await assert.rejects(earn(sql, { ...ada, key: 'order 7', amount: 11, expiresAt: later }, { now }), refused);
  await assert.rejects(earn(sql, { ...ada, key: 'order 7', amount: 10, expiresAt: null }, { now }), refused);
  await assert.rejects(spend(sql, { ...ada, key: 'order 7', amount: 10 }, { now }), refused);
  await assert.rejects(clear(sql, { ...ada, key: 'order 7' }, { now }), refused);
  const ben = { botId: 'bot', contactId: 'ben', key: 'order 7', amount: 10, expiresAt: later };
  await assert.rejects(earn(sql, ben, { now }), refused);
  assert.equal((await earn(sql, { ...ben, botId: 'other bot' }, { now })).repeated, false);
});

test('clearing brings the balance to 0, and repeating it keeps newer points', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: '1', amount: 10, expiresAt: null }, { now });
  const cleared = await clear(sql, { ...ada, key: '2' }, { now });
  assert.deepEqual([cleared.amount, cleared.available], [-10, 0]);
  const nothing = await clear(sql, { ...ada, key: '3' }, { now });
  assert.deepEqual([nothing.amount, nothing.available], [0, 0]);
  await earn(sql, { ...ada, key: '4', amount: 5, expiresAt: null }, { now });
  assert.equal((await clear(sql, { ...ada, key: '3' }, { now })).repeated, true);
  assert.equal(await available(sql), 5);
});

test('the next write takes expired points out, and a slow clock does not bring them back', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: '1', amount: 10, expiresAt: later }, { now });
  await earn(sql, { ...ada, key: '2', amount: 5, expiresAt: null }, { now: later });
  await earn(sql, { ...ada, key: '3', amount: 1, expiresAt: null }, { now });
  assert.equal(await available(sql, now), 6);
  const { entries } = await history(sql, { ...ada, limit: 10 });
  assert.deepEqual(
    entries.map(({ kind, amount, balanceAfter }) => [kind, amount, balanceAfter]),
    [
      ['earn', 1, 6],
      ['earn', 5, 5],
      ['expire', -10, 0],
      ['earn', 10, 10],
    ],
  );
  assert.equal(entries[2]?.expiresAt, later);
});

test('amounts, keys and expiries out of range are refused', async (t) => {
  const { sql } = await testDatabase(t);
  const refused = { code: 'INPUT_INVALID' };
  const change = { ...ada, key: '1', amount: 10, expiresAt: null };
  for (const amount of [0, -1, 1.5, Number.NaN, amountMax + 1]) {
    await assert.rejects(earn(sql, { ...change, amount }, { now }), refused);
    await assert.rejects(spend(sql, { ...ada, key: '1', amount }, { now }), refused);
  }
  for (const key of ['', 'k'.repeat(201), 'a\u0000b', 'a\nb', '\ud800']) {
    await assert.rejects(earn(sql, { ...change, key }, { now }), refused);
  }
  for (const expiresAt of [now, now - 1, Number.NaN, expiresAtMax + 1]) {
    await assert.rejects(earn(sql, { ...change, expiresAt }, { now }), refused);
  }
  await earn(sql, { ...change, key: 'k'.repeat(200), amount: amountMax, expiresAt: expiresAtMax }, { now });
  assert.equal(await available(sql), amountMax);
});

test('a balance stops at its bound, so that sums stay exact', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: '1', amount: 1, expiresAt: null }, { now });
  const nearly = balanceMax - 1;
  await sql`update point_accounts set balance = ${nearly}`;
  await assert.rejects(earn(sql, { ...ada, key: '2', amount: 2, expiresAt: null }, { now }), {
    code: 'INPUT_INVALID',
  });
  assert.equal(
    (await earn(sql, { ...ada, key: '2', amount: 1, expiresAt: null }, { now })).available,
    balanceMax,
  );
});

test('of many callers with one key, one makes the change, and all get its result', async (t) => {
  const { sql } = await testDatabase(t);
  const change = { ...ada, key: 'order 7', amount: 10, expiresAt: null };
  const results = await Promise.all(Array.from({ length: 20 }, () => earn(sql, change, { now })));
  assert.equal(results.filter(({ repeated }) => !repeated).length, 1);
  assert.deepEqual([...new Set(results.map(({ available }) => available))], [10]);
});

test('of callers that use one key for different contacts, one makes the change, and the others are refused', async (t) => {
  const { sql } = await testDatabase(t);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 12 }, (_, index) =>
      earn(
        sql,
        { botId: 'bot', contactId: `contact ${index}`, key: 'k', amount: 1, expiresAt: null },
        { now },
      ),
    ),
  );
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'KEY_REUSED');
  }
});

test('spends at the same time never take more than the available points', async (t) => {
  const { sql } = await testDatabase(t);
  await earn(sql, { ...ada, key: 'all', amount: 10, expiresAt: null }, { now });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 15 }, (_, index) => spend(sql, { ...ada, key: `${index}`, amount: 1 }, { now })),
  );
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 10);
  assert.equal(await available(sql), 0);
});

test('writers of many accounts in opposite orders do not block each other', async (t) => {
  const { sql } = await testDatabase(t);
  const contactIds = Array.from({ length: 30 }, (_, index) => `contact ${index}`);
  const write = (writer: number, order: readonly string[]) =>
    repeatedTransaction(sql, (tx) =>
      writePoints(
        tx,
        'bot',
        order.map((contactId) => ({
          kind: 'earn',
          contactId,
          key: `${writer} ${contactId}`,
          amount: 1,
          expiresAt: null,
        })),
        { now },
      ),
    );
  await Promise.all(
    [1, 2, 3, 4, 5, 6].map((writer) => write(writer, writer % 2 ? contactIds : contactIds.toReversed())),
  );
  const points = await availablePoints(sql, { botId: 'bot', contactIds, now });
  assert.deepEqual([...new Set(points.values())], [6]);
});

async function joinContacts(sql: Sql, fromContactId: string, toContactId: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`update contacts set merged_into = ${toContactId} where bot_id = 'bot' and contact_id = ${fromContactId}`;
    await mergeAccounts(tx, { botId: 'bot', fromContactId, toContactId });
  });
}

test('an account has the platform of its contact until the contact is merged or anonymous', async (t) => {
  const { sql } = await testDatabase(t);
  await addContacts(sql);
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at, forgotten_at)
    values ('bot', 'gone', 'whatsapp', 'anonymous', now(), now())`;
  for (const contactId of ['ada', 'ben', 'gone'])
    await earn(sql, { botId: 'bot', contactId, key: contactId, amount: 10, expiresAt: null }, { now });
  const platforms = async () => {
    const rows = await sql`select contact_id, platform from point_accounts order by contact_id`;
    return rows.map(({ contact_id, platform }) => `${contact_id} ${platform}`);
  };
  assert.deepEqual(await platforms(), ['ada whatsapp', 'ben whatsapp', 'gone null']);
  await joinContacts(sql, 'ben', 'ada');
  assert.deepEqual(await platforms(), ['ada whatsapp', 'ben null', 'gone null']);
});

async function addContacts(sql: Sql): Promise<void> {
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    select 'bot', id, 'whatsapp', id, now() from unnest(array['ada', 'ben']) as id`;
}

test('a joined account has the entries, lots and keys of both, in the order in which they were written', async (t) => {
  const { sql } = await testDatabase(t);
  await addContacts(sql);
  const ben = { botId: 'bot', contactId: 'ben' };
  await earn(sql, { ...ada, key: '1', amount: 10, expiresAt: null }, { now });
  await earn(sql, { ...ben, key: '2', amount: 5, expiresAt: later }, { now });
  await spend(sql, { ...ada, key: '3', amount: 4 }, { now });
  await joinContacts(sql, 'ben', 'ada');
  await joinContacts(sql, 'ben', 'ada');
  assert.equal(await available(sql), 11);
  assert.equal(await available(sql, later), 6);
  assert.equal(await available(sql, now, 'ben'), 0);
  const { entries } = await history(sql, { ...ada, limit: 10 });
  assert.deepEqual(
    entries.map(({ balanceAfter }) => balanceAfter),
    [11, 15, 10],
  );
  const repeated = await earn(sql, { ...ada, key: '2', amount: 5, expiresAt: later }, { now });
  assert.equal(repeated.repeated, true, 'the key of the absorbed contact is known for the survivor');
  const led = await spend(sql, { ...ben, key: '4', amount: 11 }, { now });
  assert.deepEqual([led.contactId, led.available], ['ada', 0], 'a late writer is led to the survivor');
  assert.deepEqual(await auditPoints(sql, 'bot'), []);
});

test('points earned by either contact while the two are joined all arrive at the survivor', async (t) => {
  const { sql } = await testDatabase(t);
  await addContacts(sql);
  const writes = Array.from({ length: 24 }, (_, index) =>
    earn(
      sql,
      { botId: 'bot', contactId: index % 2 ? 'ada' : 'ben', key: `${index}`, amount: 1, expiresAt: null },
      { now },
    ),
  );
  await Promise.all([...writes.slice(0, 12), joinContacts(sql, 'ben', 'ada'), ...writes.slice(12)]);
  assert.equal(await available(sql), 24);
  assert.equal(await available(sql, now, 'ben'), 0);
  assert.deepEqual(await auditPoints(sql, 'bot'), []);
});
