/**
 * Visitors' tokens, which widgets send instead of a sign-in. A token contains its bot and visitor and is signed by this server, so
 * it is checked without the database. It may outlive a deleted visitor.
 *
 *     shoal_visitor_<base64url of "botId visitorId expiry in seconds">.<HMAC-SHA-256>
 */
import { createHmac } from 'node:crypto';
import type { Keys } from '../auth/keys.ts';
import { isSameSecret } from '../platforms/signature.ts';
import { dayMs, secondMs } from '../time.ts';

/** `expiresAt` in ms. */
export type VisitorClaims = { botId: string; visitorId: string; expiresAt: number };

const prefix = 'shoal_visitor_';
const tokenDays = 180;
const lengthMax = 500;

/** A token of the visitor, valid for 180 days. */
export function makeVisitorToken(
  keys: Keys,
  { botId, visitorId, now }: { botId: string; visitorId: string; now: number },
): { visitorToken: string; expiresAt: number } {
  const seconds = Math.floor((now + tokenDays * dayMs) / secondMs);
  const claims = Buffer.from(`${botId} ${visitorId} ${seconds}`).toString('base64url');
  return {
    visitorToken: `${prefix}${claims}.${signatureOf(keys.current.chatKey, claims)}`,
    expiresAt: seconds * secondMs,
  };
}

/** The claims of a token; null: it is foreign, modified or expired. */
export function readVisitorToken(keys: Keys, token: string, { now }: { now: number }): VisitorClaims | null {
  const [, claims, signature] = /^shoal_visitor_([\w-]+)\.([\w-]+)$/.exec(token) ?? [];
  if (token.length > lengthMax || claims === undefined || signature === undefined) return null;
  if (!keys.all.some(({ chatKey }) => isSameSecret(signature, signatureOf(chatKey, claims)))) return null;
  const [botId = '', visitorId = '', seconds] = Buffer.from(claims, 'base64url').toString().split(' ');
  const expiresAt = Number(seconds) * secondMs;
  return expiresAt > now ? { botId, visitorId, expiresAt } : null;
}

function signatureOf(chatKey: Uint8Array, claims: string): string {
  return createHmac('sha256', chatKey).update(claims).digest('base64url');
}
