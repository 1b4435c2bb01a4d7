/**
 * Bots: making, listing, changing.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { openKeys } from '../auth/keys.ts';
import type { Sql } from '../database/client.ts';
import { type BotChanges, changeBot, createBot, findBot, listBots, lockBot } from './bots.ts';

const keys = await openKeys({
  secretKey: 'a secret key for tests, long enough',
  dataFolder: '',
  random: randomBytes,
});
const making = { now: Date.parse('2026-03-01T00:00:00Z'), random: randomBytes, keys };

test('a new bot has an id of 9 letters, its zone, a gap of 15 minutes, and is listed', async (t) => {
  const { sql } = await testDatabase(t);
  const { botId } = await createBot(sql, { name: '小店', timeZone: 'Europe/Berlin' }, making);
  assert.match(botId, /^[A-Za-z]{9}$/);
  const bot = {
    botId,
    name: '小店',
    timeZone: 'Europe/Berlin',
    conversationGapSeconds: 900,
    lineProgram: null,
  };
  assert.deepEqual(await findBot(sql, botId), bot);
  assert.deepEqual([...(await listBots(sql))], [bot]);
});

test('an invalid name or time zone is refused, and no bot is created', async (t) => {
  const { sql } = await testDatabase(t);
  const wrong = [
    { name: '', timeZone: 'Asia/Taipei' },
    { name: ' ', timeZone: 'Asia/Taipei' },
    { name: 'a\nb', timeZone: 'Asia/Taipei' },
    { name: 'x'.repeat(201), timeZone: 'Asia/Taipei' },
    { name: 'Shop', timeZone: 'Mars/Olympus' },
  ];
  for (const bot of wrong) await assert.rejects(createBot(sql, bot, making), { code: 'INPUT_INVALID' });
  assert.deepEqual([...(await listBots(sql))], []);
});

async function recountNeededAfter(sql: Sql, botId: string, changes: BotChanges): Promise<boolean> {
  const changed = await sql.begin(async (tx) => changeBot(tx, await lockBot(tx, botId), changes));
  return changed.recountNeeded;
}

test('a change keeps the other fields, and says whether the figures need a recount', async (t) => {
  const { sql } = await testDatabase(t);
  const { botId } = await createBot(sql, { name: 'Shop', timeZone: 'Asia/Taipei' }, making);
  const change = (changes: BotChanges) => recountNeededAfter(sql, botId, changes);
  assert.equal(await change({ name: 'Store', lineProgram: '中用量' }), false);
  assert.equal(await change({ timeZone: 'Asia/Taipei' }), false);
  assert.equal(await change({ timeZone: 'Asia/Tokyo' }), true);
  assert.equal(await change({ conversationGapSeconds: 60 }), true);
  assert.equal(await change({ lineProgram: null }), false);
  const expected = {
    botId,
    name: 'Store',
    timeZone: 'Asia/Tokyo',
    conversationGapSeconds: 60,
    lineProgram: null,
  };
  assert.deepEqual(await findBot(sql, botId), expected);
  for (const gap of [0, -1, 1.5, 604_801]) {
    await assert.rejects(change({ conversationGapSeconds: gap }), { code: 'INPUT_INVALID' });
  }
  await assert.rejects(recountNeededAfter(sql, 'unknown', { name: 'x' }), { code: 'BOT_NOT_FOUND' });
});

test('a locked bot makes the next one wait; an unknown bot is refused', async (t) => {
  const { sql } = await testDatabase(t);
  const { botId } = await createBot(sql, { name: 'Shop', timeZone: 'Asia/Taipei' }, making);
  const order: string[] = [];
  const locked = Promise.withResolvers<void>();
  const first = sql.begin(async (tx) => {
    await lockBot(tx, botId);
    locked.resolve();
    await tx`select pg_sleep(0.1)`;
    order.push('first');
  });
  await locked.promise;
  await sql.begin(async (tx) => {
    await lockBot(tx, botId);
    order.push('second');
  });
  await first;
  assert.deepEqual(order, ['first', 'second']);
  await assert.rejects(
    sql.begin((tx) => lockBot(tx, 'unknown')),
    { code: 'BOT_NOT_FOUND' },
  );
});
