/**
 * DATABASE_URL: connections and refusals, without the password in any message.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { emptyDatabase } from '../../tests/harness/database.ts';
import { readMigrations } from '../database/migrate.ts';
import { Refusal } from '../errors.ts';
import { type Database, openDatabase } from './open-database.ts';

const log = pino({ level: 'silent' });

function open(databaseUrl: string): Promise<Database> {
  return openDatabase({ databaseUrl, dataFolder: 'unused', max: 2, applicationName: 'shoal test', log });
}

async function assertRefused(databaseUrl: string, message: RegExp): Promise<void> {
  await assert.rejects(open(databaseUrl), (error: unknown) => {
    assert.ok(error instanceof Refusal);
    assert.match(error.message, message);
    assert.ok(!JSON.stringify({ ...error, message: error.message, stack: error.stack }).includes('pa55word'));
    return true;
  });
}

test('a database opens migrated, opens several pools, and closes twice', async (t) => {
  const { url } = await emptyDatabase(t);
  const database = await open(url);
  const intake = database.openPool(1);
  const [row] = await intake<{ count: number }[]>`select count(*) as count from migrations`;
  assert.equal(row?.count, (await readMigrations()).length);
  await database.close();
  await database.close();
  await assert.rejects(async () => database.sql`select 1`, { code: 'CONNECTION_ENDED' });
  await assert.rejects(async () => intake`select 1`, { code: 'CONNECTION_ENDED' });
});

test('a database can be opened several times at once', async (t) => {
  const { url } = await emptyDatabase(t);
  const databases = await Promise.all([open(url), open(url), open(url)]);
  await Promise.all(databases.map(({ close }) => close()));
});

test('an unreachable server is refused with its address', async () => {
  await assertRefused('postgres://me:pa55word@127.0.0.1:1/shoal', /127\.0\.0\.1:1\/shoal .*ECONNREFUSED/);
});

test('a missing database and a wrong password are refused', async (t) => {
  const { url } = await emptyDatabase(t);
  const elsewhere = new URL(url);
  elsewhere.pathname = '/nowhere';
  await assertRefused(elsewhere.href, /"nowhere" does not exist/);
  const wrong = new URL(url);
  wrong.password = 'pa55word';
  await assertRefused(wrong.href, /password authentication failed/);
});

test('of several hosts, the first one that answers is used', async (t) => {
  const { url } = await emptyDatabase(t);
  const { host } = new URL(url);
  const database = await open(url.replace(host, `127.0.0.1:1,${host}`));
  await database.close();
});

test('a URL with another scheme is refused', async () => {
  await assertRefused('mysql://me:pa55word@localhost/shoal', /must be of the form postgres:/);
  await assertRefused('postgres://me:pa55word@local host/shoal', /must be of the form postgres:/);
});
