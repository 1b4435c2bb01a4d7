/**
 * The one PostgreSQL client. SQL is written in tagged templates beside its domain; this file only opens connections.
 *
 * A pool goes on by itself when its server goes and comes back; queries in between fail within about a second, so that
 * callers can say so (a webhook is answered 503) instead of hanging.
 */
import { Socket } from 'node:net';
import postgres from 'postgres';
import { lastingPool } from './lasting-pool.ts';
import { clientTypes } from './types.ts';

export type Sql = postgres.Sql;
export type Transaction = postgres.TransactionSql;
/** What a query needs: a pool, or a transaction of it. */
export type Queryable = Sql | Transaction;
/** A part of a query, to stand within another. */
export type Fragment = postgres.Fragment;

/** Where a server is and how to enter it. A host that begins with `/` is the folder of its unix socket. */
export type Address = { host: string; port: number; user: string; password: string; database: string };

type ClientOptions = { max: number; applicationName: string };

const connectSecondsMax = 5;
/** So short that a query waits for the next attempt, and does not hang, while the server is away. */
const reconnectPauseSeconds = 0.1;

/**
 * Opens a pool on a `postgres://` URL or an address: at most `max` connections for statements and as many for transactions,
 * made when they are needed. int8 columns come as numbers; one beyond 2^53 − 1 throws. The session's zone is UTC.
 */
export function connect(server: string | Address, { max, applicationName }: ClientOptions): Sql {
  return lastingPool((size, lost) => openClient(server, { max: size, applicationName, lost }), max);
}

/** Opens a bare client; `lost` is called at the first sign that one of its connections, once made, is ending. */
export function openClient(
  server: string | Address,
  { max, applicationName, lost }: ClientOptions & { lost: () => void },
): Sql {
  let attempts = 0;
  const options = {
    max,
    max_lifetime: null,
    connect_timeout: connectSecondsMax,
    backoff: () => reconnectPauseSeconds,
    onnotice: () => undefined,
    connection: { application_name: applicationName, TimeZone: 'UTC' },
    types: clientTypes,
    fetch_types: false,
    socket: ({ host, port, path }: Target) => {
      const place = attempts++ % host.length;
      const line = new Line(lost);
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
