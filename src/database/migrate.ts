/**
 * Forward-only migrations: the numbered files of `sql/`, each run once, in a transaction of its own, and recorded there with
 * the checksum of its text. Their table is the one without a bot_id: it describes the database, not a bot.
 *
 * Any number of processes may start at once: a lock lets them take turns, and who comes later finds nothing left to do.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { Refusal } from '../errors.ts';
import type { Sql, Transaction } from './client.ts';

export type Migration = { name: string; text: string };

/** Of the advisory lock; any number does, as long as every version of Shoal uses the same. */
const lockKey = 740_231_518;
const folder = new URL('../../sql/', import.meta.url);

/**
 * Brings the database to the newest of the migrations (default: those of `sql/`) and gives the names of those that ran now.
 * Safe to repeat, and from several processes at once. Throws Refusal INPUT_INVALID for a database that is newer than this
 * version of Shoal, or in which another text has run under the same name.
 */
export async function migrate(sql: Sql, migrations?: readonly Migration[]): Promise<string[]> {
  const wanted = migrations ?? (await readMigrations());
  const ran: string[] = [];
  while (ran.length <= wanted.length) {
    const name = await sql.begin((transaction) => runNext(transaction, wanted));
    if (name === null) return ran;
    ran.push(name);
  }
  throw new Error('More migrations ran than there are.');
}

/** The migrations of `sql/`, in order. */
export async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({ name, text: await readFile(new URL(name, folder), 'utf8') })),
  );
}

async function runNext(sql: Transaction, wanted: readonly Migration[]): Promise<string | null> {
  await sql`select pg_advisory_xact_lock(${lockKey})`;
  await sql`create table if not exists migrations (
    name text collate "C" primary key,
    checksum text collate "C" not null,
    ran_at timestamptz not null default now()
  )`;
  const recorded = await sql<{ name: string; checksum: string }[]>`
    select name, checksum from migrations order by name`;
  for (const [place, row] of recorded.entries()) checkRecorded(row, wanted[place]);
  const next = wanted[recorded.length];
  if (!next) return null;
  await sql.unsafe(next.text);
  await sql`insert into migrations (name, checksum) values (${next.name}, ${checksumOf(next)})`;
  return next.name;
}

function checkRecorded(recorded: { name: string; checksum: string }, wanted: Migration | undefined): void {
  if (recorded.name !== wanted?.name) {
    throw new Refusal(
      'INPUT_INVALID',
      `The database is newer than this version of Shoal: it holds the migration ${recorded.name}, which is not known here. Start the version that made it, or a later one.`,
    );
  }
  if (recorded.checksum !== checksumOf(wanted)) {
    throw new Refusal(
      'INPUT_INVALID',
      `The migration ${recorded.name} ran in this database with another text than this version of Shoal has. Start the version that ran it; a migration is never changed, only followed by another.`,
    );
  }
}

// Line endings do not count: git may check files out with CRLF on Windows.
function checksumOf({ text }: Migration): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}
