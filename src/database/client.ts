/**
 * Opens connections of the PostgreSQL client. SQL is written in tagged templates, next to the code that uses it.
 *
 * A client reconnects by itself after the server was away. Queries during that time fail within about a second, so that callers
 * can answer (a webhook with 503) instead of waiting.
 */
import { Socket } from 'node:net';
import postgres from 'postgres';
import { clientTypes } from './types.ts';

export type Sql = postgres.Sql;
export type Transaction = postgres.TransactionSql;
/** A pool or a transaction. */
export type Queryable = Sql | Transaction;
/** A part of a query, for use within another one. */
export type Fragment = postgres.Fragment;

/** The address and credentials of a server. A host that begins with `/` is the folder of its unix socket. */
export type Address = { host: string; port: number; user: string; password: string; database: string };

export type ClientOptions = {
  max: number;
  applicationName: string;
  /** Contains the open sockets. */
  sockets?: Set<Socket>;
};

/**
 * Settings that this code relies on. They override the defaults of the database and the role. All are strings, because the client
 * omits 0 and false.
 */
export const sessionSettings = {
  // The text format of values.
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  // Rights and time limits of statements and transactions.
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  // Other values omit rows, or end the session with the first error.
  gin_fuzzy_search_limit: '0',
  exit_on_error: 'off',
};

const connectSecondsMax = 5;
/** Short, so that a query waits for the next attempt only briefly while the server is away. */
const reconnectPauseSeconds = 0.1;

/** Opens a client without a pool. `lost` is called at the first sign that one of its established connections ends. */
export function openClient(
  server: string | Address,
  { max, applicationName, sockets, lost }: ClientOptions & { lost: () => void },
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
      const index = attempts++ % host.length;
      const socket = new WatchedSocket(lost);
      sockets?.add(socket);
      socket.once('close', () => sockets?.delete(socket));
      if (path) return socket.connect(path);
      return Object.assign(socket.connect(port[index] ?? 0, host[index] ?? ''), { host: host[index] });
    },
  };
  return typeof server === 'string'
    ? postgres(withoutHost(server), { ...options, ...socketFolder(server) })
    : postgres({ ...options, ...server });
}

type Target = { host: string[]; port: number[]; path: string | false };

/** A socket that reports its end before the client notices it, and treats every end as an error. */
class WatchedSocket extends Socket {
  readonly #lost: () => void;

  constructor(lost: () => void) {
    super();
    this.#lost = lost;
    this.setNoDelay(true);
    this.on('end', () => this.destroy(connectionClosed()));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // Without a byte from the server, the connection was never established.
    if (this.bytesRead > 0) this.#lost();
    super._destroy(error, callback);
  }
}

/** The error of a query whose connection has ended. postgres.js uses the same code. */
export function connectionClosed(): Error {
  return Object.assign(new Error('The connection to the database has ended.'), { code: 'CONNECTION_CLOSED' });
}

// A URL can name a unix socket like PostgreSQL's own tools do: `postgres:///name?host=/run/postgresql`.
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
