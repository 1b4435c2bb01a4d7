/**
 * Authenticates callers of the management API: an admin token in the header `Authorization`, or the session of the cookie. A browser
 * sends a cookie by itself, so a change also needs the session's CSRF token, and a socket also the server's own origin.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { findAdminCaller } from '../../auth/admin-tokens.ts';
import { type Caller, type Session, type SessionCaller, toTokenCaller } from '../../auth/caller.ts';
import { findSessionCaller } from '../../auth/sessions.ts';
import type { Queryable } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { type CookieRequest, readSessionCookie } from './session-cookie.ts';

const headerLengthMax = 200;
const reads: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * The caller of a request. A token takes precedence over a cookie, because only a program or Shoal's own page can have set it.
 * Throws Refusal TOKEN_INVALID, SESSION_INVALID, CSRF_TOKEN_INVALID.
 */
export async function readCaller(
  sql: Queryable,
  { method, headers, protocol }: CookieRequest & { method: string },
  { now }: { now: number },
): Promise<Caller> {
  const sessionToken = headers.authorization === undefined ? readSessionCookie({ headers, protocol }) : null;
  if (sessionToken === null) {
    const header = headers.authorization ?? '';
    const token = header.length <= headerLengthMax ? /^Bearer +(\S+)$/i.exec(header)?.[1] : undefined;
    return readTokenCaller(sql, token, now);
  }
  const caller = await readSessionCaller(sql, sessionToken, now);
  if (!reads.has(method)) checkCsrfToken(caller.session, headers['x-csrf-token']);
  return caller;
}

/**
 * The caller of a socket, by the headers of its upgrade request and its first frame: an admin token, or the session of the cookie
 * with its CSRF token, on a page whose `Origin` is this server's host or its public address. Throws as `readCaller`.
 *
 * A caller's rights can change or end while its socket is open. Call this again with the same input to check them.
 */
export async function readSocketCaller(
  sql: Queryable,
  { headers, protocol, token, csrfToken }: CookieRequest & { token?: unknown; csrfToken?: unknown },
  { now, publicUrl }: { now: number; publicUrl: string | null },
): Promise<Caller> {
  if (token !== undefined) return readTokenCaller(sql, token, now);
  const caller = await readSessionCaller(sql, readSessionCookie({ headers, protocol }) ?? '', now);
  checkCsrfToken(caller.session, csrfToken);
  if (!isOwnOrigin(headers, publicUrl)) {
    throw new Refusal('CSRF_TOKEN_INVALID', "The page that opens the socket is not this server's.");
  }
  return caller;
}

async function readTokenCaller(sql: Queryable, token: unknown, now: number): Promise<Caller> {
  const caller = typeof token === 'string' ? await findAdminCaller(sql, token, { now }) : null;
  if (caller !== null) return toTokenCaller(caller);
  throw new Refusal('TOKEN_INVALID', 'There is no admin token, or it is not a valid one.');
}

async function readSessionCaller(sql: Queryable, token: string, now: number): Promise<SessionCaller> {
  const caller = await findSessionCaller(sql, token, { now });
  if (caller !== null) return caller;
  throw new Refusal('SESSION_INVALID', 'There is no session, or it has ended.');
}

function checkCsrfToken({ csrfToken }: Session, sent: unknown): void {
  const [expected, actual] = [csrfToken, typeof sent === 'string' ? sent : ''].map((text) =>
    Buffer.from(text),
  );
  if (expected && actual && expected.length === actual.length && timingSafeEqual(expected, actual)) return;
  throw new Refusal('CSRF_TOKEN_INVALID', 'The header X-CSRF-Token must be the csrfToken of the session.');
}

function isOwnOrigin({ origin, host }: IncomingHttpHeaders, publicUrl: string | null): boolean {
  const page = origin === undefined ? null : URL.parse(origin);
  if (page === null) return false;
  return (
    page.host === host?.toLowerCase() || (publicUrl !== null && page.origin === URL.parse(publicUrl)?.origin)
  );
}
