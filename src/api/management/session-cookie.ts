/**
 * The cookie that holds a session token. Scripts cannot read it, and pages of other sites cannot send it. Over https its name begins
 * with `__Host-`, so that browsers accept it from this host only and send it over https only.
 */
import type { FastifyRequest } from 'fastify';

const plainName = 'shoal_session';
const secureName = `__Host-${plainName}`;

/** The parts of a request that show whether the browser used https. */
export type CookieRequest = Pick<FastifyRequest, 'headers' | 'protocol'>;

/**
 * The session token of the browser, or null. A call over https never has Shoal's plain cookie: another host of the domain may have
 * set one.
 */
export function readSessionCookie({ headers: { cookie = '' }, protocol }: CookieRequest): string | null {
  const cookieOf = (name: string) => new RegExp(`(?:^|;) *${name}=([^;]*)`).exec(cookie)?.[1]?.trim() ?? null;
  return cookieOf(secureName) ?? (protocol === 'https' ? null : cookieOf(plainName));
}

/** The header `Set-Cookie` that stores the token (base64url). Null deletes the cookie. */
export function sessionCookie(token: string | null, request: CookieRequest): string {
  const isHttps = isSecure(request);
  const cookie = `${isHttps ? secureName : plainName}=${token ?? ''}${token === null ? '; Max-Age=0' : ''}`;
  return `${cookie}; Path=/; HttpOnly; SameSite=Strict${isHttps ? '; Secure' : ''}`;
}

/**
 * Whether the browser used https, by the origin of its page, which it sends with each POST and DELETE, or by the header of a proxy.
 * A false header harms its sender only: the browser does not send the cookie back.
 */
function isSecure({ headers: { origin, 'x-forwarded-proto': proto }, protocol }: CookieRequest): boolean {
  if (origin !== undefined) return origin.startsWith('https:');
  return protocol === 'https' || proto === 'https';
}
