/**
 * Reads and writes whole tables with COPY, in its text format, which all versions of PostgreSQL understand.
 *
 * Each function works around defects of the client (postgres.js 3.4.9), which otherwise hangs.
 */
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Queryable, Sql, Transaction } from './client.ts';

export type Columns = { name: string; columns: readonly string[] };

/**
 * Yields the rows of a table in chunks of any length. If the reader stops early, a statement of `sql` cancels the one of `tx`.
 */
export async function* copyOut(
  tx: Queryable,
  { name, columns }: Columns,
  { sql, pid }: { sql: Sql /** The server process of `tx`. */; pid: number },
): AsyncGenerator<Uint8Array> {
  const rows: Readable = await tx`copy ${tx(name)} (${tx([...columns])}) to stdout`.readable();
  try {
    yield* rows.iterator({ destroyOnReturn: false });
  } finally {
    // The client can end the transaction only after the end of the statement.
    if (!rows.readableEnded && !rows.destroyed) {
      await sql`select pg_cancel_backend(${pid}::integer)`;
      await finished(rows.resume()).catch(() => undefined);
    }
    // The client pauses its socket while the stream is full, and does not resume it if the rows end in that time. This resumes it.
    if (rows.errored === null) rows._read(0);
  }
}

/** Stores chunks of rows from `copyOut` in a table. `end` throws if PostgreSQL refuses the rows. */
export async function copyIn(
  tx: Transaction,
  { name, columns }: Columns,
): Promise<{ write(chunk: Uint8Array): Promise<void>; end(): Promise<void> }> {
  const rows = await tx`copy ${tx(name)} (${tx([...columns])}) from stdin`.writable();
  const ended = finished(rows);
  // Awaited by the next write; a handler now keeps an earlier failure from being reported as unhandled.
  ended.catch(() => undefined);
  return {
    write: (chunk) => {
      const written = Promise.withResolvers<void>();
      rows.write(chunk, (error) => (error ? written.reject(error) : written.resolve()));
      return Promise.race([written.promise, ended]);
    },
    async end() {
      rows.end();
      // The client drops an error that arrives after the last row, and `ended` then never settles. The transaction has failed, and
      // so does its next statement. It may follow when the client has sent the end of the rows.
      await nextTurn();
      await tx`select`.catch((cause) => {
        throw new Error(`PostgreSQL refused the rows of the table ${name}.`, { cause });
      });
    },
  };
}
