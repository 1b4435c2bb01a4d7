/**
 * The cookie that holds a session token: no script reads it, and no other site's page sends it. Over https its name begins with
 * `__Host-`, so that browsers take it from this host alone, and never send it without https.
 */
import type { FastifyRequest } from 'fastify';

const plainName = 'shoal_session';
const secureName = `__Host-${plainName}`;

/** The parts of a request that say whether the browser came by https. */
export type CookieRequest = Pick<FastifyRequest, 'headers' | 'protocol'>;

/**
 * The session token of the browser; null: none. A call that surely came by https has no plain cookie of ours: another host of the
 * domain may have set one.
 */
export function readSessionCookie({ headers: { cookie = '' }, protocol }: CookieRequest): string | null {
  const held = (name: string) => new RegExp(`(?:^|;) *${name}=([^;]*)`).exec(cookie)?.[1]?.trim() ?? null;
  return held(secureName) ?? (protocol === 'https' ? null : held(plainName));
}

/** The header `Set-Cookie` with which the browser holds the token (base64url); null: nothing any more. */
export function sessionCookie(token: string | null, request: CookieRequest): string {
  const isHttps = isSecure(request);
  const held = `${isHttps ? secureName : plainName}=${token ?? ''}${token === null ? '; Max-Age=0' : ''}`;
  return `${held}; Path=/; HttpOnly; SameSite=Strict${isHttps ? '; Secure' : ''}`;
}

/**
 * Whether the browser came by https: by the origin of its page, which it sends with each POST and DELETE, or by the word of a
 * proxy. A caller that lies gets a cookie that it does not send back, and changes nothing for others.
 */
function isSecure({ headers: { origin, 'x-forwarded-proto': proto }, protocol }: CookieRequest): boolean {
  if (origin !== undefined) return origin.startsWith('https:');
  return protocol === 'https' || proto === 'https';
}
