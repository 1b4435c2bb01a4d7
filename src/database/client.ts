/**
 * The one PostgreSQL client. SQL is written in tagged templates beside its domain; this file only opens connections.
 *
 * A pool goes on by itself when its server goes and comes back; queries in between fail within about a second, so that
 * callers can say so (a webhook is answered 503) instead of hanging.
 */
import { Socket } from 'node:net';
import postgres from 'postgres';
import { clientTypes } from './types.ts';

export type Sql = postgres.Sql;
export type Transaction = postgres.TransactionSql;
/** What a query needs: a pool, or a transaction of it. */
export type Queryable = Sql | Transaction;
/** A part of a query, to stand within another. */
export type Fragment = postgres.Fragment;

/** Where a server is and how to enter it. A host that begins with `/` is the folder of its unix socket. */
export type Address = { host: string; port: number; user: string; password: string; database: string };

export type ClientOptions = {
  max: number;
  applicationName: string;
  /** Holds the sockets that are open. */
  lines?: Set<Socket>;
};

/**
 * Settings that this code relies on. A database or role may have others by default; those of the connection win over them. All are
 * texts: the client leaves out 0 and false.
 */
export const sessionSettings = {
  // How values come and are read.
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  // What a statement and a transaction may do, and for how long.
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  // Other values leave rows out, or end the session with the first error.
  gin_fuzzy_search_limit: '0',
  exit_on_error: 'off',
};

const connectSecondsMax = 5;
/** So short that a query waits for the next attempt, and does not hang, while the server is away. */
const reconnectPauseSeconds = 0.1;

/** Opens a bare client; `lost` is called at the first sign that one of its connections, once made, is ending. */
export function openClient(
  server: string | Address,
  { max, applicationName, lines, lost }: ClientOptions & { lost: () => void },
): Sql {
  let attempts = 0;
  const options = {
    max,
    max_lifetime: null,
    connect_timeout: connectSecondsMax,
    backoff: () => reconnectPauseSeconds,
    onnotice: () => undefined,
    connection: { application_name: applicationName, ...(sessionSettings as Record<string, string>) },
    types: clientTypes,
    fetch_types: false,
    socket: ({ host, port, path }: Target) => {
      const place = attempts++ % host.length;
      const line = new Line(lost);
      lines?.add(line);
      line.once('close', () => lines?.delete(line));
      if (path) return line.connect(path);
      return Object.assign(line.connect(port[place] ?? 0, host[place] ?? ''), { host: host[place] });
    },
  };
  return typeof server === 'string'
    ? postgres(withoutHost(server), { ...options, ...socketFolder(server) })
    : postgres({ ...options, ...server });
}

type Target = { host: string[]; port: number[]; path: string | false };

/** A socket that tells of its end before anything else hears of it, and for whom every end is an error. */
class Line extends Socket {
  readonly #lost: () => void;

  constructor(lost: () => void) {
    super();
    this.#lost = lost;
    this.setNoDelay(true);
    this.on('end', () => this.destroy(connectionClosed()));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // Without a byte from the server there never was a connection, only an attempt.
    if (this.bytesRead > 0) this.#lost();
    super._destroy(error, callback);
  }
}

/** What a query fails with whose connection has ended; the code is postgres.js's own. */
export function connectionClosed(): Error {
  return Object.assign(new Error('The connection to the database has ended.'), { code: 'CONNECTION_CLOSED' });
}

// A URL may name a unix socket the way of PostgreSQL's own tools: `postgres:///name?host=/run/postgresql`.
function socketFolder(url: string): { host?: string } {
  const host = queryOf(url).get('host');
  return host ? { host } : {};
}

function withoutHost(url: string): string {
  const query = queryOf(url);
  query.delete('host');
  return query.size === 0 ? baseOf(url) : `${baseOf(url)}?${query}`;
}

function baseOf(url: string): string {
  return url.split('?', 1)[0] ?? '';
}

function queryOf(url: string): URLSearchParams {
  return new URLSearchParams(url.slice(baseOf(url).length));
}
