/**
 * Signatures and secrets according to Standard Webhooks (https://www.standardwebhooks.com):
 *
 *     webhook-signature: v1,base64(HMAC-SHA256(secret, "{id}.{timestamp}.{body}"))      one for each valid secret
 */
import { createHmac } from 'node:crypto';
import type { Random } from '../random.ts';

const prefix = 'whsec_';
/** The specification requires 24 to 64. */
const secretBytes = 32;

/** A new secret: `whsec_` and 32 bytes in base64. */
export function newSecret(random: Random): string {
  return `${prefix}${Buffer.from(random(secretBytes)).toString('base64')}`;
}

/** The three headers of one attempt; `at` (ms) is its time. */
export function signedHeaders(
  secrets: readonly string[],
  { id, at, body }: { id: string; at: number; body: string },
): Record<string, string> {
  const timestamp = String(Math.floor(at / 1_000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(prefix.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
