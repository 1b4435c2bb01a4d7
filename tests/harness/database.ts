/**
 * A real database for each test.
 *
 * All tests share the server of SHOAL_TEST_SERVER (a URL whose user may create databases; tests/check.ts sets it). Without
 * it, a test file starts a temporary server. Migrated databases are clones of a template, migrated once for each state of
 * sql/; a lock coordinates concurrent test processes. Tests reuse a clone one after the other, also those of other processes.
 * Its rows are deleted between tests, which takes a tenth of the time of a new clone. A clone with a changed schema, changed settings,
 * statistics or migrations is dropped.
 *
 * With SHOAL_TEST_CITUS (the URL of a Citus node whose user is a superuser) the template is distributed, and its clones are clusters
 * of one node that holds its own shards.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Sql, sessionSettings } from '../../src/database/client.ts';
import { distribute } from '../../src/database/cluster.ts';
import { migrate, readMigrations } from '../../src/database/migrate.ts';
import { connect } from '../../src/database/pool.ts';
import { startTestCluster, type TestCluster } from './cluster.ts';
// Also for its effect: a file's resources are released before their databases, in the order of the hooks.
import './scope.ts';
import { useCluster } from '../../src/database/row-table.ts';
import type { Scope } from './scope.ts';
import { recordStatements, statementsOfManyNodes } from './statements.ts';

export type TestDatabase = { sql: Sql; url: string };

const templateLockKey = 612_907_433;
const poolSize = 8;
const closeSecondsMax = 5;
const reusableBytesMax = 10_000_000;
/** 3 s: a server process of PostgreSQL ends shortly after its client, or after a killed client's statement. */
const looksMax = 30;
const lookPauseMs = 100;

let cluster: Promise<TestCluster> | undefined;
let template: Promise<string> | undefined;
const open = new Set<OpenDatabase>();
/** Emptied clones of the migrated template. */
const reusable: Clone[] = [];

recordStatements();

after(async () => {
  await Promise.all([...open].map(close));
  await shareClones();
  await (await cluster)?.stop();
  // Last, because a failed hook ends the others, and open connections would keep the process alive.
  assert.deepEqual(
    statementsOfManyNodes(),
    [],
    'Compare each table with the bot as a value, or list the statement in many-bot-statements.ts; read queues in another statement',
  );
});

/** A migrated database with a pool and its URL; closed when its test or file ends. */
export async function testDatabase(t: Scope): Promise<TestDatabase> {
  template ??= makeTemplate();
  return openFor(t, await emptyClone(await template));
}

/**
 * The test's own copy of a database that `fill` has filled once for all test files with this name. `fill` must close its own
 * connections.
 */
export async function filledDatabase(
  t: Scope,
  name: string,
  fill: (database: TestDatabase) => Promise<void>,
): Promise<TestDatabase> {
  template ??= makeTemplate();
  const base = await template;
  return openFor(t, await cloneOf(await makeDatabase(`${base}_${name}`, base, fill)));
}

/** The test's own empty database, without migrations. */
export async function emptyDatabase(t: Scope): Promise<TestDatabase> {
  return openFor(t, await cloneOf('template0'));
}

/** True if the tests run on Citus. */
export const isOnCitus = process.env.SHOAL_TEST_CITUS !== undefined;
if (isOnCitus) useCluster();

/** The URL of the test server's own database, which all tests share. */
export async function testServerUrl(): Promise<string> {
  if (process.env.SHOAL_TEST_CITUS) return process.env.SHOAL_TEST_CITUS;
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

/** Sets the opposite of every setting that sessions rely on; later connections use it. */
export async function setOpposites(sql: Sql): Promise<void> {
  const [row] = await sql<{ name: string }[]>`select current_database() as name`;
  for (const [setting, value] of Object.entries(opposites))
    await sql`alter database ${sql(row?.name ?? '')} set ${sql(setting)} = ${sql.unsafe(`'${value}'`)}`;
}

/** `state`: the catalogue of a reusable clone before its first test; null for a clone that is used once. */
type Clone = { name: string; url: string; state: string | null };
type OpenDatabase = TestDatabase & { clone: Clone; test: string; over: boolean };

async function emptyClone(base: string): Promise<Clone> {
  await closeEnded();
  const emptied = reusable.pop() ?? (await sharedClone(base));
  if (emptied) return emptied;
  const clone = await cloneOf(base);
  return { ...clone, state: await onDatabase(clone.url, stateOf) };
}

/** A clone that another test process has emptied, if there is one. */
async function sharedClone(base: string): Promise<Clone | undefined> {
  const [row] = await onServer(
    (server) => server<{ name: string; state: string }[]>`
      delete from emptied_clones where name =
        (select name from emptied_clones where template = ${base} limit 1 for update skip locked)
      returning name, state`,
  );
  return row && { ...row, url: await urlOf(row.name) };
}

/** Leaves this process's clones to other test processes. */
async function shareClones(): Promise<void> {
  if (reusable.length === 0) return;
  const base = await template;
  const rows = reusable.splice(0).map(({ name, state }) => ({ name, template: base, state }));
  await onServer((server) => server`insert into emptied_clones ${server(rows)}`);
}

async function cloneOf(base: string): Promise<Clone> {
  await closeEnded();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onServer(
    (server) => server`create database ${server(name)} template ${server(base)} strategy file_copy`,
  );
  return { name, url: await urlOf(name), state: null };
}

// Hooks of a test run in the order of their registration, so users of the database stop after its own hook. A database is
// therefore closed when the next one is requested.
async function closeEnded(): Promise<void> {
  await Promise.all([...open].filter(({ over }) => over).map(close));
}

function openFor(t: Scope, clone: Clone): TestDatabase {
  const { url } = clone;
  const sql = connect(url, { max: poolSize, applicationName: 'shoal test' });
  const database = { sql, url, clone, test: t.name, over: false };
  open.add(database);
  t.after(() => {
    database.over = true;
  });
  return database;
}

/** Empties the database for the next test, or drops it. Throws if the test left a connection open, because that keeps its process alive. */
async function close(database: OpenDatabase): Promise<void> {
  const { sql, clone } = database;
  open.delete(database);
  await sql.end({ timeout: closeSecondsMax });
  const { left: openConnections, isEmptied } = await onDatabase(clone.url, async (own) => {
    const others = await connectionsLeft(own, clone.name);
    return { left: others, isEmptied: others.length === 0 && (await empty(own, clone)) };
  });
  if (isEmptied) reusable.push(clone);
  else await drop(clone.name);
  assert.deepEqual(openConnections, [], `connections left open by the test "${database.test}"`);
}

async function drop(name: string): Promise<void> {
  await onServer((server) => server`drop database ${server(name)} with (force)`);
}

/**
 * Deletes every row and restarts the sequences. Returns false for a clone that is used once, if the test has changed more than rows, or
 * if the deleted rows take much space, which would make later tests slow.
 */
async function empty(sql: Sql, { state }: Clone): Promise<boolean> {
  if (state === null || (await stateOf(sql)) !== state) return false;
  if (isOnCitus) await sql`set citus.override_table_visibility = off`;
  const tables = await sql<{ name: string; bytes: number }[]>`
    select quote_ident(relname) as name, pg_relation_size(oid)::float8 as bytes from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> 'migrations'
      ${isOnCitus ? sql`and oid not in (select logicalrelid from pg_dist_partition)` : sql``}`;
  if (tables.reduce((sum, { bytes }) => sum + bytes, 0) > reusableBytesMax) return false;
  const deletions = tables.map(({ name }) => `delete from ${name};`).join(' ');
  // With the triggers of foreign keys disabled, the order of the tables does not matter. On Citus, the rows are in the shards.
  const shards = isOnCitus ? 'set local citus.enable_manual_changes_to_shards = on;' : '';
  await sql.unsafe(`begin; ${shards} set local session_replication_role = replica; ${deletions} commit`);
  await sql`
    select setval(oid, 1, false) from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace`;
  return true;
}

/** A text that depends on the schema, the settings and the statistics of a database, but not on its rows. */
async function stateOf(sql: Sql): Promise<string> {
  const [row] = await sql<{ state: string }[]>`
    select concat_ws(' ',
      (select md5(string_agg(concat(oid, xmin, reltuples), ',' order by oid)) from pg_class where oid > 16383),
      (select md5(string_agg(concat(attrelid, attnum, xmin), ',' order by attrelid, attnum)) from pg_attribute
        where attrelid > 16383),
      (select md5(string_agg(concat(oid, xmin), ',' order by oid)) from pg_proc where oid > 16383),
      (select md5(string_agg(concat(oid, xmin), ',' order by oid)) from pg_trigger),
      (select md5(string_agg(concat(name, checksum), ',' order by name)) from migrations),
      (select md5(string_agg(setconfig::text, ',' order by setrole)) from pg_db_role_setting
        where setdatabase = (select oid from pg_database where datname = current_database()))) as state`;
  return row?.state ?? '';
}

async function connectionsLeft(server: Sql, database: string): Promise<string[]> {
  for (let look = 1; ; look++) {
    const rows = await server<{ application_name: string }[]>`
      select application_name from pg_stat_activity where datname = ${database} and backend_type = 'client backend' and pid <> pg_backend_pid()
        and application_name not like 'citus%'`;
    if (rows.length === 0 || look === looksMax) return rows.map((row) => row.application_name);
    await pause(lookPauseMs);
  }
}

async function makeTemplate(): Promise<string> {
  const texts = (await readMigrations()).map(({ name, text }) => name + text).join();
  const name = `template_${createHash('sha256').update(texts).digest('hex').slice(0, 16)}`;
  return makeDatabase(name, 'template0', async ({ sql }) => {
    await migrate(sql);
    if (isOnCitus) await makeCluster(sql);
  });
}

async function makeCluster(sql: Sql): Promise<void> {
  const { hostname, port } = new URL(await testServerUrl());
  await sql`create extension citus`;
  await sql`select citus_set_coordinator_host(${hostname}, ${Number(port)})`;
  await sql`select citus_set_node_property(${hostname}, ${Number(port)}, 'shouldhaveshards', true)`;
  await distribute(sql);
}

// Created under another name and renamed when complete, so that an existing database is ready.
async function makeDatabase(
  name: string,
  base: string,
  fill: (database: TestDatabase) => Promise<void>,
): Promise<string> {
  await onServer(async (server) => {
    await server`select pg_advisory_lock(${templateLockKey})`;
    await server`create table if not exists emptied_clones (name text primary key, template text, state text)`;
    const databases = await server`select 1 from pg_database where datname = ${name}`;
    if (databases.length > 0) return;
    const unfinished = `${name}_unfinished`;
    await server`drop database if exists ${server(unfinished)} with (force)`;
    await server`create database ${server(unfinished)} template ${server(base)}`;
    const url = await urlOf(unfinished);
    const sql = connect(url, { max: 1, applicationName: 'shoal test template' });
    await fill({ sql, url }).finally(() => sql.end());
    await connectionsLeft(server, unfinished);
    if (isOnCitus) await endConnections(server, unfinished);
    await server`alter database ${server(unfinished)} rename to ${server(name)}`;
  });
  return name;
}

/** Ends the daemon of Citus and its connections, and keeps new ones out: a database with connections cannot be cloned. */
async function endConnections(server: Sql, database: string): Promise<void> {
  await server`alter database ${server(database)} allow_connections false`;
  for (let look = 1; look <= looksMax; look++) {
    const ended = await server`
      select pg_terminate_backend(pid) from pg_stat_activity where datname = ${database}`;
    if (ended.length === 0) return;
    await pause(lookPauseMs);
  }
}

async function onServer<Result>(run: (server: Sql) => Promise<Result>): Promise<Result> {
  return onDatabase(await testServerUrl(), run);
}

async function onDatabase<Result>(url: string, run: (sql: Sql) => Promise<Result>): Promise<Result> {
  const sql = connect(url, { max: 1, applicationName: 'shoal test server' });
  try {
    return await run(sql);
  } finally {
    await sql.end();
  }
}

async function urlOf(database: string): Promise<string> {
  const url = new URL(await testServerUrl());
  url.pathname = `/${database}`;
  return url.href;
}
