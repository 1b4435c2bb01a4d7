/**
 * Writes a backup of the whole database and the secret keys while servers run (docs/decisions/0019-backups-are-logical.md).
 *
 * One repeatable-read transaction reads all tables, so the backup shows one moment. It blocks no write.
 */
import type { Sql, Transaction } from '../database/client.ts';
import { copyOut } from '../database/copy.ts';
import { readRanMigrations } from '../database/migrate.ts';
import { writeArchive } from './archive.ts';
import { format, keysName, pieceName, type SequenceRecord, type TableRecord } from './manifest.ts';

type BackupOptions = {
  /** The secret keys, the current one first. */
  keys: readonly string[];
  /** The version of Shoal. */
  version: string;
  now: number;
  /** Null: the file is not encrypted. */
  passphrase: string | null;
  workFactor?: number;
  signal: AbortSignal;
  /** Bytes of tables; `all` is an estimate by their size on the disk. */
  progress: (done: number, all: number) => void;
};
type SizedTable = TableRecord & { bytes: number };

/** The smallest size of a piece. A larger one holds one row more. */
const pieceBytesMin = 1024 * 1024;

/**
 * Writes the backup to the file, which appears when it is complete. Returns its size. Throws Refusal INPUT_INVALID if the file exists
 * or cannot be written, and the signal's reason when it is aborted.
 */
export async function writeBackup(
  sql: Sql,
  path: string,
  { keys, version, now, passphrase, workFactor, signal, progress }: BackupOptions,
): Promise<{ bytes: number; tables: number }> {
  const options = { now, passphrase, ...(workFactor !== undefined && { workFactor }) };
  let count = 0;
  const { bytes } = await writeArchive(path, options, async (add) => {
    await add(keysName, Buffer.from(JSON.stringify(keys)));
    const manifest = await sql.begin('isolation level repeatable read, read only', async (tx) => {
      const tables = await readTables(tx);
      count = tables.length;
      const [backend] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
      const connections = { sql, pid: backend?.pid ?? 0 };
      const all = tables.reduce((sum, table) => sum + table.bytes, 0);
      let done = 0;
      for (const table of tables) {
        let copied = 0;
        let pieces = 0;
        for await (const piece of inPieces(copyOut(tx, table, connections))) {
          signal.throwIfAborted();
          pieces += 1;
          await add(pieceName(table.name, pieces), piece);
          copied += piece.byteLength;
          progress(done + Math.min(copied, table.bytes), all);
        }
        done += table.bytes;
        progress(done, all);
      }
      return {
        migrations: await readRanMigrations(tx),
        tables: tables.map(({ name, columns }) => ({ name, columns })),
        sequences: await readSequences(tx),
      };
    });
    return { format, shoal: version, createdAt: new Date(now).toISOString(), ...manifest };
  });
  return { bytes, tables: count };
}

/** The tables with their columns. A table follows those that it references. */
async function readTables(tx: Transaction): Promise<SizedTable[]> {
  const rows = await tx<(SizedTable & { references: string[] })[]>`
    select c.relname as name, pg_table_size(c.oid)::float8 as bytes,
      array(select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        order by a.attnum) as columns,
      array(select r.relname::text from pg_constraint k join pg_class r on r.oid = k.confrelid
        where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as references
    from pg_class c
    where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace
      -- The migrations record themselves when they run.
      and c.relname <> 'migrations'
    order by c.relname`;
  const sorted: SizedTable[] = [];
  while (sorted.length < rows.length) {
    const sizeBefore = sorted.length;
    for (const row of rows) {
      const isStored = (name: string) => sorted.some((other) => other.name === name);
      if (!isStored(row.name) && row.references.every(isStored)) sorted.push(row);
    }
    if (sorted.length === sizeBefore) throw new Error('The foreign keys of the tables form a cycle.');
  }
  return sorted;
}

/** Read after the rows: a value is never below that of a row. */
async function readSequences(tx: Transaction): Promise<SequenceRecord[]> {
  return tx<SequenceRecord[]>`
    select sequencename as name, last_value::text as value from pg_sequences
    where schemaname = current_schema() and last_value is not null
    order by sequencename`;
}

async function* inPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    waiting.push(chunk);
    bytes += chunk.byteLength;
    if (bytes < pieceBytesMin) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}
