/**
 * The cookie that holds a session token: no script reads it, no other site's page sends it, and where the page came by https it
 * never goes out without.
 */
import type { FastifyRequest } from 'fastify';

const name = 'shoal_session';
const heldForm = new RegExp(`(?:^|;) *${name}=([^;]*)`);

/** What the browser holds, of its header `Cookie`; null: nothing. */
export function readSessionCookie(header: string | undefined): string | null {
  return heldForm.exec(header ?? '')?.[1]?.trim() ?? null;
}

/** The header `Set-Cookie` with which the browser holds the token (base64url); null: nothing any more. */
export function sessionCookie(token: string | null, { isSecure }: { isSecure: boolean }): string {
  const held = token === null ? `${name}=; Max-Age=0` : `${name}=${token}`;
  return `${held}; Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}

/**
 * Whether the browser came by https: by the origin of its page, which it tells with each POST and DELETE, or by what a proxy tells.
 * A caller that lies gets a cookie that it does not send back; nobody else does.
 */
export function isSecure({ headers }: FastifyRequest): boolean {
  const { origin, 'x-forwarded-proto': proto } = headers;
  return origin === undefined ? proto === 'https' : origin.startsWith('https:');
}
