/**
 * The one PostgreSQL client. SQL is written in tagged templates beside its domain; this file only opens connections.
 *
 * A pool goes on by itself when its server goes and comes back; queries in between fail within about a second, so that
 * callers can say so (a webhook is answered 503) instead of hanging.
 */
import postgres from 'postgres';

export type Sql = postgres.Sql;
export type Transaction = postgres.TransactionSql;
/** What a query needs: a pool, or a transaction of it. */
export type Queryable = Sql | Transaction;

/** Where a server is and how to enter it. A host that begins with `/` is the folder of its unix socket. */
export type Address = { host: string; port: number; user: string; password: string; database: string };

const connectSecondsMax = 5;
/** So short that a query waits for the next attempt, and does not hang, while the server is away. */
const reconnectPauseSeconds = 0.1;
const bigintOid = 20;

/**
 * Opens a pool of at most `max` connections to a `postgres://` URL or an address; connections are made when needed.
 * int8 columns come as numbers; one beyond 2^53 − 1 throws. The session's zone is UTC.
 */
export function connect(
  server: string | Address,
  { max, applicationName }: { max: number; applicationName: string },
): Sql {
  const options = {
    max,
    connect_timeout: connectSecondsMax,
    backoff: () => reconnectPauseSeconds,
    onnotice: () => undefined,
    connection: { application_name: applicationName, TimeZone: 'UTC' },
  };
  const sql =
    typeof server === 'string'
      ? postgres(withoutHost(server), { ...options, ...socketFolder(server) })
      : postgres({ ...options, ...server });
  sql.options.parsers[bigintOid] = toSafeInteger;
  return sql;
}

function toSafeInteger(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new Error(`The database holds ${text}, which is no safe integer.`);
  return number;
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
