/**
 * The content of a backup: every row of every table at one moment, and what a restore refuses.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyDatabase, testDatabase } from '../../tests/harness/database.ts';
import type { Scope } from '../../tests/harness/scope.ts';
import type { Sql } from '../database/client.ts';
import { copyOut } from '../database/copy.ts';
import { readMigrations } from '../database/migrate.ts';
import { writeArchive } from './archive.ts';
import { writeBackup } from './backup.ts';
import { pieceName } from './manifest.ts';
import { restoreBackup, verifyBackup } from './restore.ts';

const { signal } = new AbortController();
const nothing = () => undefined;
const options = { keys: ['key'], version: '1.2.3', now: 0, passphrase: null, signal, progress: nothing };
const reading = { passphrase: null, signal, progress: nothing };
const migrations = await readMigrations();

async function pathOf(t: Scope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'backup');
}

/** More than one piece, and each character that COPY escapes. */
async function fill(sql: Sql): Promise<void> {
  const name = 'a\\b\\\\.\t\r\n\b鯨\'"'.repeat(100);
  const bots = Array.from({ length: 2_000 }, (_, number) => ({ bot_id: `bot${number}`, name }));
  await sql`insert into bots ${sql(bots)}`;
  await sql`
    insert into deliveries (bot_id, platform, source, body, received_at)
    values ('bot1', 'line', 'webhook', '\\x00ff5c0a'::bytea, 'infinity'), ('bot2', 'line', 'webhook', '', now())`;
  await sql`
    insert into users (user_id, name, name_key, password_hash, scope, created_at)
    values ('u', '\\N', 'u', '', 'read', now())`;
}

/** The sorted rows of each table, as a hash, and the value of each sequence. */
async function contentOf(sql: Sql): Promise<Record<string, string>> {
  const tables = await sql<{ name: string; columns: string[] }[]>`
    select relname as name,
      array(select attname::text from pg_attribute where attrelid = pg_class.oid and attnum > 0 and not attisdropped) as columns
    from pg_class
    where relnamespace = current_schema()::regnamespace and relkind = 'r' and relname <> 'migrations'`;
  const content: Record<string, string> = {};
  for (const table of tables) {
    const parts = await Array.fromAsync(copyOut(sql, table, { sql, pid: 0 }));
    const rows = Buffer.concat(parts).toString().split('\n').sort();
    content[table.name] = createHash('sha256').update(rows.join('\n')).digest('hex');
  }
  const sequences = await sql<{ name: string; value: string }[]>`
    select sequencename as name, last_value::text as value from pg_sequences
    where schemaname = current_schema()`;
  for (const { name, value } of sequences) content[name] = value;
  return content;
}

test('a restored copy has each row of one moment, although the bot changes during the backup', async (t) => {
  const [{ sql }, target, path] = [await testDatabase(t), await emptyDatabase(t), await pathOf(t)];
  await fill(sql);
  const before = await contentOf(sql);
  let isChanged = false;
  let done = 0;
  const change = async () => {
    await sql`delete from deliveries where bot_id = 'bot1'`;
    await sql`update users set name = 'changed'`;
  };
  const changing = { promise: Promise.resolve() };
  const progress = (bytes: number, all: number) => {
    assert.ok(bytes >= done && bytes <= all);
    done = bytes;
    if (!isChanged) changing.promise = change();
    isChanged = true;
  };
  await writeBackup(sql, path, { ...options, progress });
  await changing.promise;
  assert.notDeepEqual(await contentOf(sql), before);

  const backup = await verifyBackup(path, migrations, reading);
  assert.deepEqual(backup.keys, ['key']);
  await restoreBackup(target.sql, backup, migrations, { ...reading, beforeRows: async () => undefined });
  assert.deepEqual(await contentOf(target.sql), before);
  // The database is not empty any more.
  const again = restoreBackup(target.sql, backup, migrations, { ...reading, beforeRows: assert.fail });
  await assert.rejects(again, /already has data of Shoal/);
});

test('a restore that is stopped midway leaves an empty database, and can be repeated', async (t) => {
  const [{ sql }, target, path] = [await testDatabase(t), await emptyDatabase(t), await pathOf(t)];
  await fill(sql);
  await writeBackup(sql, path, options);
  const backup = await verifyBackup(path, migrations, reading);
  const [stop, beforeRows] = [new AbortController(), async () => undefined];
  const progress = (bytes: number) => {
    if (bytes > 0) stop.abort(new Error('stopped'));
  };
  const stopping = { passphrase: null, signal: stop.signal, progress, beforeRows };
  await assert.rejects(restoreBackup(target.sql, backup, migrations, stopping), /stopped/);
  const [row] = await target.sql`select to_regclass('bots') as bots, to_regclass('migrations') as migrations`;
  assert.deepEqual(row, { bots: null, migrations: null });

  await restoreBackup(target.sql, backup, migrations, { ...reading, beforeRows });
  assert.deepEqual(await contentOf(target.sql), await contentOf(sql));
});

test('a backup that is stopped leaves the connection usable and no file', async (t) => {
  const [{ sql }, path] = [await testDatabase(t), await pathOf(t)];
  await fill(sql);
  const stop = new AbortController();
  const progress = () => stop.abort(new Error('stopped'));
  await assert.rejects(writeBackup(sql, path, { ...options, signal: stop.signal, progress }), /stopped/);
  await assert.rejects(verifyBackup(path, migrations, reading), /cannot be read/);
  await writeBackup(sql, path, options);
});

test('a backup of a newer version, and one whose migrations had another text, are refused', async (t) => {
  const [{ sql }, path] = [await testDatabase(t), await pathOf(t)];
  await writeBackup(sql, path, options);
  const last = migrations.at(-1)?.name ?? '';
  await assert.rejects(
    verifyBackup(path, migrations.slice(0, -1), reading),
    new RegExp(`backup is newer than this version of Shoal: .* ${last}`),
  );
  const changed = migrations.with(0, { name: migrations[0]?.name ?? '', text: 'select 1' });
  await assert.rejects(verifyBackup(path, changed, reading), /ran in this backup with a different text/);
});

test('rows that the database refuses fail the restore', async (t) => {
  const [target, path] = [await emptyDatabase(t), await pathOf(t)];
  const [first] = migrations.map(({ name, text }) => ({ name, text }));
  const tables = [{ name: 'bots', columns: ['bot_id', 'name'] }];
  await writeArchive(path, { now: 0, passphrase: null }, async (add) => {
    await add(pieceName('bots', 1), Buffer.from('bot\tA\nbot\tB\n'));
    return { format: 1, shoal: '1.2.3', migrations: [], tables, sequences: [] };
  });
  const backup = await verifyBackup(path, [], reading);
  backup.manifest.migrations = [{ name: first?.name ?? '', checksum: '' }];
  const restoring = restoreBackup(target.sql, backup, migrations, {
    ...reading,
    beforeRows: async () => undefined,
  });
  await assert.rejects(restoring, /refused the rows of the table bots|duplicate key/);
});
