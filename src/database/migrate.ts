/**
 * Forward-only migrations: the numbered files of `sql/`. Each one runs once, in its own transaction, which also records the checksum
 * of its text. The table `migrations` has no bot_id, because it describes the database.
 *
 * Any number of processes can start at the same time. An advisory lock serializes them, and later ones find nothing to do.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { Refusal } from '../errors.ts';
import type { Queryable, Sql, Transaction } from './client.ts';
import { distributeAdded } from './cluster.ts';

export type Migration = { name: string; text: string };
/** Called before each migration: its name, its place among all migrations, and their number. */
export type MigrationProgress = (name: string, place: number, all: number) => void;
/** What the database records of a migration that ran. */
export type RanMigration = { name: string; checksum: string };

/** The key of the advisory lock. Every version of Shoal must use the same one. */
const lockKey = 740_231_518;
const folder = new URL('../../sql/', import.meta.url);

/**
 * Runs all missing migrations (default: those of `sql/`), and returns their names. Safe to repeat, and from several processes at the
 * same time. Throws Refusal INPUT_INVALID if the database is newer than this version of Shoal, or a migration has run with another
 * text.
 */
export async function migrate(
  sql: Sql,
  migrations?: readonly Migration[],
  progress: MigrationProgress = () => undefined,
): Promise<string[]> {
  const files = migrations ?? (await readMigrations());
  return runAll(files, () => sql.begin((transaction) => runNext(transaction, files, progress)));
}

/** Makes all other processes that migrate wait for the end of the transaction. */
export async function lockMigrations(tx: Transaction): Promise<void> {
  await tx`select pg_advisory_xact_lock(${lockKey})`;
}

/** Runs all of the migrations in a transaction. */
export async function migrateWithin(tx: Transaction, migrations: readonly Migration[]): Promise<void> {
  await runAll(migrations, () => runNext(tx, migrations));
}

async function runAll(files: readonly Migration[], runOne: () => Promise<string | null>): Promise<string[]> {
  const ran: string[] = [];
  while (ran.length <= files.length) {
    const name = await runOne();
    if (name === null) return ran;
    ran.push(name);
  }
  throw new Error('More migrations ran than exist.');
}

/** The migrations of `sql/`, in order. */
export async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({ name, text: await readFile(new URL(name, folder), 'utf8') })),
  );
}

/** The migrations that ran in the database, in order. */
export async function readRanMigrations(sql: Queryable): Promise<RanMigration[]> {
  return sql<RanMigration[]>`select name, checksum from migrations order by name`;
}

async function runNext(
  sql: Transaction,
  files: readonly Migration[],
  progress: MigrationProgress = () => undefined,
): Promise<string | null> {
  await lockMigrations(sql);
  await sql`create table if not exists migrations (
    name text collate "C" primary key,
    checksum text collate "C" not null,
    ran_at timestamptz not null default now()
  )`;
  const recorded = await readRanMigrations(sql);
  for (const [index, row] of recorded.entries()) checkRecorded(row, files[index]);
  const next = files[recorded.length];
  if (!next) return null;
  progress(next.name, recorded.length + 1, files.length);
  // One by one: Citus does not run several changes of the schema in one message.
  for (const statement of statementsOf(next)) await sql.unsafe(statement);
  await distributeAdded(sql);
  await sql`insert into migrations (name, checksum) values (${next.name}, ${checksumOf(next)})`;
  return next.name;
}

/** The statements of a migration. It may contain comments and literals, but no function bodies. */
export function statementsOf({ text }: Migration): string[] {
  const parts = text.match(/(?:'[^']*'|--.*|[^;])+/g) ?? [];
  return parts.filter((part) => !/^(?:\s|--.*)*$/.test(part));
}

/** Throws Refusal INPUT_INVALID if the file is not the migration that ran. `what` contains it: "database" or "backup". */
export function checkRecorded(recorded: RanMigration, file: Migration | undefined, what = 'database'): void {
  if (recorded.name !== file?.name) {
    throw new Refusal(
      'INPUT_INVALID',
      `The ${what} is newer than this version of Shoal: it contains the unknown migration ${recorded.name}. Use the version of Shoal that created it, or a later one.`,
    );
  }
  if (recorded.checksum !== checksumOf(file)) {
    throw new Refusal(
      'INPUT_INVALID',
      `The migration ${recorded.name} ran in this ${what} with a different text than in this version of Shoal. Use the version that ran it. Migrations must not be changed after they ran.`,
    );
  }
}

// Ignores line endings: on Windows, git can check files out with CRLF.
function checksumOf({ text }: Migration): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}
