/**
 * A real database for each test.
 *
 * One server serves all: the one of SHOAL_TEST_SERVER (a URL whose user may create databases; tests/check.ts sets it), else a
 * throw-away one that a test file starts for itself. Migrated databases are clones of one that was migrated once for each
 * state of sql/; test processes that run at once agree on it by a lock.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Sql, sessionSettings } from '../../src/database/client.ts';
import { migrate, readMigrations } from '../../src/database/migrate.ts';
import { connect } from '../../src/database/pool.ts';
import { startTestCluster, type TestCluster } from './cluster.ts';

export type TestDatabase = { sql: Sql; url: string };

const templateLockKey = 612_907_433;
const poolSize = 8;
const closeSecondsMax = 5;
/** 3 s: a server process of PostgreSQL ends a moment after its client, or after a killed client's statement. */
const looksMax = 30;
const lookPauseMs = 100;

let cluster: Promise<TestCluster> | undefined;
let template: Promise<string> | undefined;
const open = new Set<OpenDatabase>();

after(async () => {
  await Promise.all([...open].map(close));
  await (await cluster)?.stop();
});

/** A migrated database of the test's own, a pool on it and its URL; closed and gone when the test ends. */
export async function testDatabase(t: TestContext): Promise<TestDatabase> {
  template ??= makeTemplate();
  return cloneOf(t, await template);
}

/**
 * A database of the test's own that is a copy of one filled by `fill`, once for all test files that ask for this name. `fill` has
 * to end every connection that it made itself.
 */
export async function filledDatabase(
  t: TestContext,
  name: string,
  fill: (database: TestDatabase) => Promise<void>,
): Promise<TestDatabase> {
  template ??= makeTemplate();
  const base = await template;
  return cloneOf(t, await makeDatabase(`${base}_${name}`, base, fill));
}

/** The same without any migration. */
export async function emptyDatabase(t: TestContext): Promise<TestDatabase> {
  return cloneOf(t, 'template0');
}

/** The URL of the test server's own database, which is everybody's. */
export async function testServerUrl(): Promise<string> {
  if (process.env.SHOAL_TEST_SERVER) return process.env.SHOAL_TEST_SERVER;
  cluster ??= startTestCluster();
  return (await cluster).url;
}

/** The opposite of each setting that a session relies on (sessionSettings), as settings of the database. */
const opposites: Record<keyof typeof sessionSettings, string> = {
  TimeZone: 'America/St_Johns',
  DateStyle: 'German, DMY',
  IntervalStyle: 'iso_8601',
  bytea_output: 'escape',
  extra_float_digits: '-10',
  standard_conforming_strings: 'off',
  array_nulls: 'off',
  transform_null_equals: 'on',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  default_transaction_deferrable: 'on',
  statement_timeout: '1',
  lock_timeout: '1',
  idle_in_transaction_session_timeout: '1',
  idle_session_timeout: '1',
  gin_fuzzy_search_limit: '1',
  exit_on_error: 'on',
};

/** Gives the database the opposite of every setting that sessions rely on; connections made later see it. */
export async function setOpposites(sql: Sql): Promise<void> {
  const [row] = await sql<{ name: string }[]>`select current_database() as name`;
  for (const [setting, value] of Object.entries(opposites))
    await sql`alter database ${sql(row?.name ?? '')} set ${sql(setting)} = ${sql.unsafe(`'${value}'`)}`;
}

type OpenDatabase = TestDatabase & { name: string; test: string; over: boolean };

async function cloneOf(t: TestContext, template: string): Promise<TestDatabase> {
  // Hooks of a test run in the order they were set, so what the test puts onto the database is only stopped after it. That
  // is why a database is not closed in its own hook, but when the next one is asked for.
  await Promise.all([...open].filter(({ over }) => over).map(close));
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onServer(
    (server) => server`create database ${server(name)} template ${server(template)} strategy file_copy`,
  );
  const url = await urlOf(name);
  const sql = connect(url, { max: poolSize, applicationName: 'shoal test' });
  const database = { sql, url, name, test: t.name, over: false };
  open.add(database);
  t.after(() => {
    database.over = true;
  });
  return database;
}

/** Drops the database. Throws when the test left a connection open, which would also keep its process alive. */
async function close(database: OpenDatabase): Promise<void> {
  open.delete(database);
  await database.sql.end({ timeout: closeSecondsMax });
  await onServer(async (server) => {
    const left = await connectionsLeft(server, database.name);
    await server`drop database ${server(database.name)} with (force)`;
    assert.deepEqual(left, [], `connections left open by the test "${database.test}"`);
  });
}

async function connectionsLeft(server: Sql, database: string): Promise<string[]> {
  for (let look = 1; ; look++) {
    const rows = await server<{ application_name: string }[]>`
      select application_name from pg_stat_activity where datname = ${database} and backend_type = 'client backend'`;
    if (rows.length === 0 || look === looksMax) return rows.map((row) => row.application_name);
    await pause(lookPauseMs);
  }
}

async function makeTemplate(): Promise<string> {
  const texts = (await readMigrations()).map(({ name, text }) => name + text).join();
  const name = `template_${createHash('sha256').update(texts).digest('hex').slice(0, 16)}`;
  return makeDatabase(name, 'template0', async ({ sql }) => void (await migrate(sql)));
}

// Made under another name and renamed when it is whole: a database that is there is ready.
async function makeDatabase(
  name: string,
  base: string,
  fill: (database: TestDatabase) => Promise<void>,
): Promise<string> {
  await onServer(async (server) => {
    await server`select pg_advisory_lock(${templateLockKey})`;
    const found = await server`select 1 from pg_database where datname = ${name}`;
    if (found.length > 0) return;
    const unfinished = `${name}_unfinished`;
    await server`drop database if exists ${server(unfinished)} with (force)`;
    await server`create database ${server(unfinished)} template ${server(base)}`;
    const url = await urlOf(unfinished);
    const sql = connect(url, { max: 1, applicationName: 'shoal test template' });
    await fill({ sql, url }).finally(() => sql.end());
    await connectionsLeft(server, unfinished);
    await server`alter database ${server(unfinished)} rename to ${server(name)}`;
  });
  return name;
}

async function onServer<Result>(run: (server: Sql) => Promise<Result>): Promise<Result> {
  const server = connect(await testServerUrl(), { max: 1, applicationName: 'shoal test server' });
  try {
    return await run(server);
  } finally {
    await server.end();
  }
}

async function urlOf(database: string): Promise<string> {
  const url = new URL(await testServerUrl());
  url.pathname = `/${database}`;
  return url.href;
}
