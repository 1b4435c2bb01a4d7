/**
 * Migrations: runs, records and refusals.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyDatabase, testDatabase } from '../../tests/harness/database.ts';
import { Refusal } from '../errors.ts';
import { type Migration, migrate, readMigrations, statementsOf } from './migrate.ts';
import { connect } from './pool.ts';

const first: Migration = { name: '0001-words.sql', text: 'create table words (word text primary key);' };
const second: Migration = {
  name: '0002-lengths.sql',
  text: `alter table words add column length integer;
    update words set length = length(word);
    alter table words alter column length set not null;`,
};

test('the files of sql/ are numbered without a gap', async () => {
  const numbers = (await readMigrations()).map(({ name }) => Number(name.slice(0, 4)));
  assert.ok(numbers.length > 0);
  assert.deepEqual(
    numbers,
    numbers.map((_, place) => place + 1),
  );
});

test('a second run finds nothing to do', async (t) => {
  const { sql } = await emptyDatabase(t);
  const names = (await readMigrations()).map(({ name }) => name);
  assert.deepEqual(await migrate(sql), names);
  assert.deepEqual(await migrate(sql), []);
});

test('concurrent processes run each migration once', async (t) => {
  const { url } = await emptyDatabase(t);
  const pools = Array.from({ length: 5 }, () => connect(url, { max: 1, applicationName: 'shoal test' }));
  t.after(() => Promise.all(pools.map((pool) => pool.end())));
  const ran = await Promise.all(pools.map((pool) => migrate(pool)));
  const names = (await readMigrations()).map(({ name }) => name);
  assert.deepEqual(ran.flat().sort(), names);
});

test('a later migration finds existing rows', async (t) => {
  const { sql } = await emptyDatabase(t);
  await migrate(sql, [first]);
  await sql`insert into words (word) values ('shoal'), ('of'), ('fish')`;
  assert.deepEqual(await migrate(sql, [first, second]), [second.name]);
  assert.deepEqual(
    (await sql`select word, length from words order by word`).map(({ word, length }) => [word, length]),
    [
      ['fish', 4],
      ['of', 2],
      ['shoal', 5],
    ],
  );
});

test('a failed migration changes nothing, and earlier ones stay', async (t) => {
  const { sql } = await emptyDatabase(t);
  const broken = { name: '0002-broken.sql', text: 'create table half (id integer); select 1 / 0;' };
  await assert.rejects(migrate(sql, [first, broken]), /division by zero/);
  assert.deepEqual(
    (await sql`select to_regclass('words') is not null as words, to_regclass('half') is not null as half`)[0],
    { words: true, half: false },
  );
  assert.deepEqual(await migrate(sql, [first, second]), [second.name]);
});

test('a database that is newer than the code is refused', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into migrations (name, checksum) values ('9999-later.sql', 'unknown here')`;
  await assert.rejects(migrate(sql), (error: unknown) => {
    assert.ok(error instanceof Refusal);
    assert.match(error.message, /newer than this version.*9999-later\.sql/);
    return true;
  });
});

test('a migration that ran with another text is refused, ignoring line endings', async (t) => {
  const { sql } = await emptyDatabase(t);
  await migrate(sql, [first, second]);
  const checkedOutOnWindows = { ...second, text: second.text.replaceAll('\n', '\r\n') };
  assert.deepEqual(await migrate(sql, [first, checkedOutOnWindows]), []);
  const changed = { ...first, text: first.text.replace('text', 'varchar') };
  await assert.rejects(migrate(sql, [changed, second]), /0001-words\.sql ran .* a different text/);
});

test('a migration is split at its semicolons, except those in comments and literals', () => {
  const text = `-- First; LINE's; second
create table words (word text); -- a word; not null
insert into words (word) values ('a;b'), ('it''s; c');

-- The end; of it.
`;
  const statements = statementsOf({ name: '0001-words.sql', text });
  assert.deepEqual(
    statements.map((statement) => statement.replaceAll(/--.*/g, '').trim()),
    ['create table words (word text)', "insert into words (word) values ('a;b'), ('it''s; c')"],
  );
});
