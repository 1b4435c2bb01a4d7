/** Signatures of deliveries: HMAC-SHA256 over the raw bytes of the body, compared in constant time. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';

/** How a platform writes the 32 bytes of its HMAC into a header (its name in lower case). */
export type SignatureForm = { header: string; prefix: string; encoding: 'base64' | 'hex' };

/**
 * True when the header is the signature over exactly these bytes under one of the secrets. Compares in constant time. A missing or
 * repeated header, or another spelling of the same signature, is false, and an empty secret signs nothing.
 */
export function isSigned(
  body: Uint8Array,
  header: string | string[] | undefined,
  secrets: readonly string[],
  { prefix, encoding }: SignatureForm,
): boolean {
  if (typeof header !== 'string') return false;
  const received = Buffer.from(header);
  let isValid = false;
  // Every secret is tried, so that the duration does not reveal which one matches.
  for (const secret of secrets) {
    const expected = Buffer.from(prefix + createHmac('sha256', secret).update(body).digest(encoding));
    const isEqual = received.length === expected.length && timingSafeEqual(received, expected);
    if (isEqual && secret !== '') isValid = true;
  }
  return isValid;
}

/** True when both texts are the same. The duration reveals nothing of either, not even the length. */
export function isSameSecret(received: string, expected: string): boolean {
  return timingSafeEqual(hash('sha256', received, 'buffer'), hash('sha256', expected, 'buffer'));
}
