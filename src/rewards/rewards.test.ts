import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import type { Sql } from '../database/client.ts';
import { repeatedTransaction } from '../database/repeated-transaction.ts';
import { Refusal } from '../errors.ts';
import { importKind } from '../imports/kinds.ts';
import { bytesSource } from '../imports/source.ts';
import { changeGift, createGift, findGift, type NewGift } from './gifts.ts';
import { auditGifts, grantGift, listGrants, moveGrants, redeemGift, unusedGrants } from './grants.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const coffee: NewGift = {
  ...{ name: 'Coffee', kind: 'ticket', resource: 'rewardsCard', isDefault: true, stock: 5, expiresAt: null },
};

async function shop(t: TestContext) {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
  const add = (gift: Partial<NewGift> = {}) =>
    sql.begin((tx) => createGift(tx, { botId: 'shop', ...coffee, ...gift }, { now, random: randomBytes }));
  return { sql, add };
}

function grant(sql: Sql, giftId: string, key: string, { contactId = 'Ada', at = now } = {}) {
  return repeatedTransaction(sql, (tx) =>
    grantGift(tx, { botId: 'shop', giftId, contactId, key, by: 'test' }, { now: at }),
  );
}

function redeem(sql: Sql, grantId: number, key: string, { contactId = 'Ada', at = now } = {}) {
  return repeatedTransaction(sql, (tx) =>
    redeemGift(tx, { botId: 'shop', contactId, grantId, key, by: 'test' }, { now: at }),
  );
}

async function codeOf(call: Promise<unknown>): Promise<string | null> {
  try {
    await call;
    return null;
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    return error.code;
  }
}

test('concurrent grants never exceed the stock, and a repeated key grants once', async (t) => {
  const { sql, add } = await shop(t);
  const { giftId } = await add();
  const keys = Array.from({ length: 24 }, (_, index) => `key ${index % 12}`);
  const outcomes = await Promise.all(
    keys.map((key) =>
      grant(sql, giftId, key, { contactId: `contact of ${key}` }).catch((error: Refusal) => error),
    ),
  );
  const refused = outcomes.filter((outcome) => outcome instanceof Refusal);
  assert.deepEqual(new Set(refused.map(({ code }) => code)), new Set(['GIFT_OUT_OF_STOCK']));
  const { granted, stock } = await findGift(sql, { botId: 'shop', giftId });
  assert.deepEqual([granted, stock], [5, 5]);
  const [{ count } = { count: 0 }] = await sql<
    { count: number }[]
  >`select count(*) as count from gift_grants`;
  assert.equal(count, 5);
  assert.equal((await auditGifts(sql, 'shop')).length, 0);
  await sql`update gifts set granted = 4`;
  assert.deepEqual(
    [...(await auditGifts(sql, 'shop'))],
    [{ giftId, name: 'Coffee', counted: 4, granted: 5 }],
  );
});

test('a grant is redeemed once, by its own contact, and a repeated key redeems nothing more', async (t) => {
  const { sql, add } = await shop(t);
  const { giftId } = await add();
  const { grant: first } = await grant(sql, giftId, 'a');
  assert.equal(await codeOf(redeem(sql, first.grantId, 'r', { contactId: 'Ben' })), 'GRANT_NOT_FOUND');
  const redeemed = await redeem(sql, first.grantId, 'r');
  assert.deepEqual([redeemed.repeated, redeemed.grant.redeemedAt], [false, new Date(now)]);
  assert.equal((await redeem(sql, first.grantId, 'r')).repeated, true);
  assert.equal(await codeOf(redeem(sql, first.grantId, 's')), 'GIFT_REDEEMED');
  const { grant: second } = await grant(sql, giftId, 'b');
  assert.equal(await codeOf(redeem(sql, second.grantId, 'r')), 'KEY_REUSED');
  assert.equal(await codeOf(grant(sql, giftId, 'b', { contactId: 'Ben' })), 'KEY_REUSED');
  const unused = await unusedGrants(sql, { botId: 'shop', contactId: 'Ada', now });
  assert.deepEqual(
    unused.map(({ grantId }) => grantId),
    [second.grantId],
  );
  const all = await listGrants(sql, { botId: 'shop', contactId: 'Ada' }, { limit: 10, beforeId: null });
  assert.deepEqual(
    all.map(({ grantId, redeemedBy }) => [grantId, redeemedBy]),
    [
      [second.grantId, null],
      [first.grantId, 'test'],
    ],
  );
});

test('an expired gift can neither be granted nor redeemed', async (t) => {
  const { sql, add } = await shop(t);
  const { giftId } = await add({ expiresAt: new Date(now + 1_000) });
  const { grant: granted } = await grant(sql, giftId, 'a');
  const late = { at: now + 1_000 };
  assert.equal(await codeOf(grant(sql, giftId, 'b', late)), 'GIFT_EXPIRED');
  assert.equal(await codeOf(redeem(sql, granted.grantId, 'r', late)), 'GIFT_EXPIRED');
  assert.equal((await unusedGrants(sql, { botId: 'shop', contactId: 'Ada', now: late.at })).length, 0);
});

test('a bot has one default gift, and a stock covers what is granted', async (t) => {
  const { sql, add } = await shop(t);
  const first = await add();
  const second = await add({ name: 'Tea', stock: null });
  assert.equal((await findGift(sql, { botId: 'shop', giftId: first.giftId })).isDefault, false);
  assert.equal(second.isDefault, true);
  assert.equal(await codeOf(add()), 'GIFT_EXISTS');
  await grant(sql, first.giftId, 'a');
  const change = (changes: Partial<NewGift>) =>
    sql.begin((tx) => changeGift(tx, { botId: 'shop', giftId: first.giftId, ...changes }, { now }));
  assert.equal(await codeOf(change({ stock: 0 })), 'INPUT_INVALID');
  assert.equal(await codeOf(change({ name: 'Tea' })), 'GIFT_EXISTS');
  assert.equal((await change({ stock: 1 })).stock, 1);
  assert.equal(await codeOf(grant(sql, first.giftId, 'b')), 'GIFT_OUT_OF_STOCK');
});

test('a grant and a redemption are reported with their change', async (t) => {
  const { sql, add } = await shop(t);
  await sql`
    insert into callbacks (bot_id, url, secret_sealed, created_at, updated_at)
    values ('shop', 'https://shop.example/', '', now(), now())`;
  const { giftId } = await add();
  const { grant: granted } = await grant(sql, giftId, 'a');
  await redeem(sql, granted.grantId, 'r');
  const notices = await sql<
    { type: string; key: string }[]
  >`select type, data->>'key' as key from notices order by notice_id`;
  assert.deepEqual(
    [...notices],
    [
      { type: 'gift.granted', key: 'a' },
      { type: 'gift.redeemed', key: 'r' },
    ],
  );
});

test('of two grants that are redeemed with one key at the same time, one is refused', async (t) => {
  const { sql, add } = await shop(t);
  const { giftId } = await add();
  const first = (await grant(sql, giftId, 'one')).grant;
  const second = (await grant(sql, giftId, 'two')).grant;
  const later = await duringRedemption(sql, { grantId: first.grantId, key: 'same' }, () =>
    codeOf(redeem(sql, second.grantId, 'same')),
  );
  assert.equal(later, 'KEY_REUSED');
});

test('an import of redemptions names the line whose key was used by a call at the same time', async (t) => {
  const { sql, add } = await shop(t);
  const { giftId } = await add();
  await addContacts(sql, 'Ada', 'Ben');
  const { grantId } = (await grant(sql, giftId, 'one', { contactId: 'Ben' })).grant;
  await grant(sql, giftId, 'two');
  await grant(sql, giftId, 'three');
  const lines = ['line,Ada,Coffee,same', 'line,Ada,Coffee,other'];
  const outcome = await duringRedemption(sql, { contactId: 'Ben', grantId, key: 'same' }, () =>
    importRedemptions(sql, lines).catch((error: unknown) => error),
  );
  assert.ok(outcome instanceof Refusal, String(outcome));
  assert.equal(outcome.code, 'KEY_REUSED');
  assert.match(outcome.message, /line 2/);
  assert.equal((await importRedemptions(sql, lines.slice(1))).written, 1);
});

test('an import of redemptions takes the next unused grant if a call redeems one at the same time', async (t) => {
  const { sql, add } = await shop(t);
  const { giftId } = await add();
  await addContacts(sql, 'Ada');
  const { grantId } = (await grant(sql, giftId, 'one')).grant;
  await grant(sql, giftId, 'two');
  const outcome = await duringRedemption(sql, { grantId, key: 'call' }, () =>
    importRedemptions(sql, ['line,Ada,Coffee,import']),
  );
  assert.equal(outcome.written, 1);
  assert.equal((await unusedGrants(sql, { botId: 'shop', contactId: 'Ada', now })).length, 0);
});

test('a grant to a contact that merges at the same time belongs to the other contact', async (t) => {
  const { sql, add } = await shop(t);
  const { giftId } = await add();
  await addContacts(sql, 'Ada', 'Ben');
  let granting: ReturnType<typeof grant> | undefined;
  await sql.begin(async (tx) => {
    await tx`update contacts set merged_into = 'Ben' where contact_id = 'Ada'`;
    await moveGrants(tx, { botId: 'shop', fromContactId: 'Ada', toContactId: 'Ben' });
    granting = grant(sql, giftId, 'a');
    await Promise.race([granting, lockWaits(sql)]);
  });
  assert.equal((await granting)?.grant.contactId, 'Ben');
  assert.equal((await grant(sql, giftId, 'a')).repeated, true);
});

async function addContacts(sql: Sql, ...names: string[]): Promise<void> {
  for (const name of names) {
    await sql`
      insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
      values ('shop', ${name}, 'line', ${name}, now())`;
  }
}

function importRedemptions(sql: Sql, lines: readonly string[]) {
  const file = ['platform,contact,gift,key', ...lines].join('\n');
  const run = { sql, clock: () => now, random: randomBytes, linesMax: 100 };
  const source = bytesSource('file', 'csv', Buffer.from(file));
  return importKind('redemptions', run, { botId: 'shop', source });
}

/** Redeems a grant, and commits when `work` waits for it. */
async function duringRedemption<T>(
  sql: Sql,
  { contactId = 'Ada', ...redemption }: { contactId?: string; grantId: number; key: string },
  work: () => Promise<T>,
): Promise<T> {
  let running: Promise<T> | undefined;
  await sql.begin(async (tx) => {
    await redeemGift(tx, { botId: 'shop', contactId, by: 'test', ...redemption }, { now });
    running = work();
    await Promise.race([running, lockWaits(sql)]);
  });
  return running as Promise<T>;
}

async function lockWaits(sql: Sql): Promise<void> {
  for (;;) {
    const [waits] = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    if (waits) return;
  }
}
