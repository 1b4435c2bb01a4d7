/**
 * Reads the rows of a query in batches through a PostgreSQL cursor. This process holds at most three batches.
 *
 * Statements of the transaction declare the cursor and fetch from it. The client's own cursors (3.4.9) keep a statement open while
 * the reader pauses. If the connection is lost then, they do not notice, or they end the process. Here every fetch ends by itself,
 * and after a loss the pool rejects the next one.
 */
import type { Fragment, Sql, Transaction } from '../database/client.ts';
import { statementsSent } from '../database/statements-sent.ts';

/** Small batches die in the young generation of the heap: 1,000 rows take 50 MB more memory and no less time. */
const batchRows = 250;
const fetchesAhead = 2;

/**
 * Yields the batches. PostgreSQL produces the next two batches while the reader uses the current one: with one fetch, it would wait
 * for the process between two batches. If `signal` aborts, a statement
 * of `sql` cancels the running statement, and the generator throws the signal's reason. One query at a time in a transaction.
 */
export async function* readBatches<Row extends object>(
  tx: Transaction,
  query: Fragment,
  { sql, signal }: { sql: Sql; signal: AbortSignal },
): AsyncGenerator<Row[]> {
  const [backend] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const cancel = () => sql`select pg_cancel_backend(${backend?.pid ?? 0}::integer)`;
  const readerStop = new AbortController();
  const anyAbort = AbortSignal.any([signal, readerStop.signal]);
  // Not prepared: the client would read the rows of every later cursor as rows of the first.
  const fetch = () =>
    unlessAborted(() => tx.unsafe<Row[]>(`fetch ${batchRows} from exported`), { signal: anyAbort, cancel });
  // Makes PostgreSQL return rows in index order at once, instead of sorting them first.
  await tx`select set_config('cursor_tuple_fraction', '0.000001', true)`;
  await unlessAborted(() => tx`declare exported no scroll cursor for ${query}`, { signal, cancel });
  const fetches: Promise<Row[]>[] = [];
  const fetchAhead = () => {
    const next = fetch();
    // Awaited later; attach a handler now in case another fetch fails first, or the reader stops.
    next.catch(() => undefined);
    fetches.push(next);
  };
  for (let ahead = 0; ahead < fetchesAhead; ahead++) fetchAhead();
  try {
    for (;;) {
      const rows = await fetches.shift();
      if (rows === undefined || rows.length === 0) break;
      fetchAhead();
      // Otherwise PostgreSQL would start only after the reader is done: 35,000 contacts per second instead of 48,000.
      await statementsSent();
      yield rows;
    }
    await tx`close exported`;
  } finally {
    // A reader that stops leaves fetches running. Cancel them before the transaction ends, or the cancellation could hit a later
    // statement of the connection.
    readerStop.abort();
    await Promise.allSettled(fetches);
  }
}

/** Runs a cancellable statement. The client's own cancellation causes an unhandled rejection, which ends the process. */
async function unlessAborted<Result>(
  run: () => PromiseLike<Result>,
  { signal, cancel }: { signal: AbortSignal; cancel: () => PromiseLike<unknown> },
): Promise<Result> {
  signal.throwIfAborted();
  let cancelling: PromiseLike<unknown> | undefined;
  const abort = () => {
    cancelling = cancel().then(null, () => undefined);
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await run();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    // Otherwise the cancellation could hit a later statement of the connection.
    await cancelling;
  }
}
