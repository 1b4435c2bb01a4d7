/**
 * Proof of origin: HMAC-SHA256 over the raw bytes, and secrets compared in constant time.
 *
 * In: a body exactly as it came, the header, the channel's secrets. Out: yes or no. Runs for every delivery before anything
 * else looks at it, so it does nothing but the HMAC.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** How a platform writes the 32 bytes of its HMAC into the header. */
export type SignatureForm = { prefix: string; encoding: 'base64' | 'hex' };

/**
 * True when the header is the signature over exactly these bytes under one of the secrets. The header is compared as it is
 * written, so that every other spelling of the same bytes is false. An empty secret signs nothing.
 */
export function isSigned(
  body: Uint8Array,
  header: string | string[] | undefined,
  secrets: readonly string[],
  { prefix, encoding }: SignatureForm,
): boolean {
  if (typeof header !== 'string') return false;
  const given = Buffer.from(header);
  let signed = false;
  // Every secret is tried, so that the time taken does not tell which of them fits.
  for (const secret of secrets) {
    const expected = Buffer.from(prefix + createHmac('sha256', secret).update(body).digest(encoding));
    const fits = given.length === expected.length && timingSafeEqual(given, expected);
    if (fits && secret !== '') signed = true;
  }
  return signed;
}

/** True when both texts are the same; the time taken tells nothing of either, not even the length. */
export function isSameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(sha256(given), sha256(expected));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
