import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { earn, spend } from '../../tests/harness/points.ts';
import type { Sql } from '../database/client.ts';
import { auditPoints } from './audit.ts';
import { availablePoints } from './balances.ts';
import { type Earning, earningsMax, earnMany } from './bulk.ts';
import { balanceMax } from './change.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const soon = now + 60_000;
const bulk = { botId: 'bot', key: 'march' };

function earningsOf(count: number): Earning[] {
  return Array.from({ length: count }, (_, index) => ({
    contactId: `contact ${index}`,
    amount: 1 + (index % 7),
    expiresAt: index % 2 ? null : soon,
  }));
}

async function available(sql: Sql, contactId: string, at = now): Promise<number | undefined> {
  assert.deepEqual(await auditPoints(sql, 'bot'), []);
  return (await availablePoints(sql, { botId: 'bot', contactIds: [contactId], now: at })).get(contactId);
}

test('ten thousand contacts earn in one call, once for the key', async (t) => {
  const { sql } = await testDatabase(t);
  const earnings = earningsOf(earningsMax);
  const points = earnings.reduce((sum, { amount }) => sum + amount, 0);
  const first = await earnMany(sql, { ...bulk, earnings }, { now });
  assert.deepEqual(first, { key: 'march', entries: earningsMax, points, at: now, repeated: false });
  assert.deepEqual(await earnMany(sql, { ...bulk, earnings }, { now: soon }), { ...first, repeated: true });
  assert.deepEqual([await available(sql, 'contact 12'), await available(sql, 'contact 12', soon)], [6, 0]);
});

test('a key belongs to the lines of a bulk in their order, and to no single change', async (t) => {
  const { sql } = await testDatabase(t);
  const earnings = earningsOf(3);
  await earnMany(sql, { ...bulk, earnings }, { now });
  const refused = { code: 'KEY_REUSED' };
  await assert.rejects(earnMany(sql, { ...bulk, earnings: earnings.toReversed() }, { now }), refused);
  await assert.rejects(earnMany(sql, { ...bulk, earnings: earnings.slice(1) }, { now }), refused);
  const [line = { contactId: '', amount: 1, expiresAt: null }] = earnings;
  await assert.rejects(earn(sql, { ...bulk, ...line }, { now }), refused);
  await earn(sql, { ...bulk, key: 'single', ...line }, { now });
  await assert.rejects(earnMany(sql, { ...bulk, key: 'single', earnings: [line] }, { now }), refused);
});

test('an invalid line refuses the whole bulk, and the message names it', async (t) => {
  const { sql } = await testDatabase(t);
  const [line = { contactId: 'ada', amount: 1, expiresAt: null }] = earningsOf(1);
  for (const wrong of [
    { ...line, amount: 0 },
    { ...line, expiresAt: now },
  ]) {
    await assert.rejects(earnMany(sql, { ...bulk, earnings: [line, wrong, line] }, { now }), {
      code: 'INPUT_INVALID',
      message: /^Line 2: .* Nothing was written\.$/,
    });
  }
  await earn(sql, { botId: 'bot', contactId: 'rich', key: '1', amount: 1, expiresAt: null }, { now });
  await sql`update point_accounts set balance = ${balanceMax} where contact_id = 'rich'`;
  await assert.rejects(
    earnMany(sql, { ...bulk, earnings: [line, { ...line, contactId: 'rich' }] }, { now }),
    {
      message: /^Line 2: A contact can have/,
    },
  );
  await assert.rejects(earnMany(sql, { ...bulk, earnings: [] }, { now }), { code: 'INPUT_INVALID' });
  await assert.rejects(earnMany(sql, { ...bulk, earnings: earningsOf(earningsMax + 1) }, { now }), {
    code: 'INPUT_INVALID',
  });
  const [row] = await sql`select count(*)::integer as entries from point_entries`;
  assert.deepEqual(row, { entries: 1 });
});

test('several lines may name one contact, and expired points are written off first', async (t) => {
  const { sql } = await testDatabase(t);
  const ada = { contactId: 'ada', amount: 5, expiresAt: null };
  await earn(sql, { botId: 'bot', key: '1', ...ada, expiresAt: soon }, { now });
  await earnMany(sql, { ...bulk, earnings: [ada, { ...ada, contactId: 'ben' }, ada] }, { now: soon });
  assert.equal(await available(sql, 'ada', soon), 10);
  const rows =
    await sql`select kind, amount, balance_after from point_entries where contact_id = 'ada' order by entry_id`;
  assert.deepEqual(
    rows.map(({ kind, amount, balance_after }) => [kind, amount, balance_after]),
    [
      ['earn', 5, 5],
      ['expire', -5, 0],
      ['earn', 5, 5],
      ['earn', 5, 10],
    ],
  );
});

test('lines for a merged contact and its survivor go to one account, however far apart they are', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, merged_into, created_at)
    values ('bot', 'a', 'line', 'U1', 'z', now()), ('bot', 'z', 'line', 'U2', null, now())`;
  const line = { amount: 5, expiresAt: null };
  const others = earningsOf(6_000);
  const earnings = [{ ...line, contactId: 'a' }, ...others, { ...line, contactId: 'z' }];
  const { entries } = await earnMany(sql, { ...bulk, earnings }, { now });
  assert.equal(entries, 6_002);
  assert.deepEqual([await available(sql, 'a'), await available(sql, 'z')], [0, 10]);
  assert.equal(await available(sql, 'contact 5999'), 1 + (5_999 % 7));
});

test('of several refused lines the first one is named, however their contacts are ordered', async (t) => {
  const { sql } = await testDatabase(t);
  const earnings = earningsOf(6_000).toReversed();
  for (const index of [10, 5_990])
    earnings[index] = { contactId: `contact ${5_999 - index}`, amount: 1, expiresAt: now };
  await assert.rejects(earnMany(sql, { ...bulk, earnings }, { now }), { message: /^Line 11: / });
  const [row] = await sql`select count(*)::integer as entries from point_entries`;
  assert.deepEqual(row, { entries: 0 });
});

test('concurrent bulks, spends and repeated keys each take effect once', async (t) => {
  const { sql } = await testDatabase(t);
  const earnings = earningsOf(300);
  const results = await Promise.all([
    ...Array.from({ length: 4 }, () => earnMany(sql, { ...bulk, earnings }, { now })),
    earnMany(sql, { ...bulk, key: 'other', earnings: earnings.toReversed() }, { now }),
    ...Array.from({ length: 20 }, (_, index) =>
      spend(sql, { botId: 'bot', contactId: `contact ${index}`, key: `${index}`, amount: 1 }, { now }).catch(
        (error: { code?: string }) => assert.equal(error.code, 'POINTS_INSUFFICIENT'),
      ),
    ),
  ]);
  assert.equal(results.slice(0, 4).filter((result) => result?.repeated === false).length, 1);
  assert.deepEqual(await auditPoints(sql, 'bot'), []);
});

test('a bulk whose first lines cannot be written fails for its caller alone, and writes nothing', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no room'; end $$`;
  await sql`
    create trigger refuse before insert on point_entries
    for each row when (new.contact_id = 'contact 0') execute function refuse()`;
  // The failure arrives while later lines are prepared. A rejection without a handler would end the process.
  await assert.rejects(earnMany(sql, { ...bulk, earnings: earningsOf(earningsMax) }, { now }), /no room/);
  assert.equal((await sql`select from point_entries`).length, 0);
});
