/**
 * Forward-only migrations: the numbered files of `sql/`. Each one runs once, in its own transaction, which also records the checksum
 * of its text. The table `migrations` has no bot_id, because it describes the database.
 *
 * Any number of processes can start at the same time. An advisory lock serializes them, and later ones find nothing to do.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { Refusal } from '../errors.ts';
import type { Sql, Transaction } from './client.ts';
import { distributeAdded } from './cluster.ts';

export type Migration = { name: string; text: string };

/** The key of the advisory lock. Every version of Shoal must use the same one. */
const lockKey = 740_231_518;
const folder = new URL('../../sql/', import.meta.url);

/**
 * Runs all missing migrations (default: those of `sql/`), and returns their names. Safe to repeat, and from several processes at the
 * same time. Throws Refusal INPUT_INVALID if the database is newer than this version of Shoal, or a migration has run with another
 * text.
 */
export async function migrate(sql: Sql, migrations?: readonly Migration[]): Promise<string[]> {
  const files = migrations ?? (await readMigrations());
  const ran: string[] = [];
  while (ran.length <= files.length) {
    const name = await sql.begin((transaction) => runNext(transaction, files));
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

async function runNext(sql: Transaction, files: readonly Migration[]): Promise<string | null> {
  await sql`select pg_advisory_xact_lock(${lockKey})`;
  await sql`create table if not exists migrations (
    name text collate "C" primary key,
    checksum text collate "C" not null,
    ran_at timestamptz not null default now()
  )`;
  const recorded = await sql<{ name: string; checksum: string }[]>`
    select name, checksum from migrations order by name`;
  for (const [index, row] of recorded.entries()) checkRecorded(row, files[index]);
  const next = files[recorded.length];
  if (!next) return null;
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

function checkRecorded(recorded: { name: string; checksum: string }, file: Migration | undefined): void {
  if (recorded.name !== file?.name) {
    throw new Refusal(
      'INPUT_INVALID',
      `The database is newer than this version of Shoal: it contains the unknown migration ${recorded.name}. Start the version of Shoal that created it, or a later one.`,
    );
  }
  if (recorded.checksum !== checksumOf(file)) {
    throw new Refusal(
      'INPUT_INVALID',
      `The migration ${recorded.name} ran in this database with a different text than in this version of Shoal. Start the version that ran it. Migrations must not be changed after they ran.`,
    );
  }
}

// Ignores line endings: on Windows, git can check files out with CRLF.
function checksumOf({ text }: Migration): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}
