/**
 * Verified customers: the business's server signs an identifier with HMAC-SHA-256 (hexadecimal) and the channel's identity key. A
 * visitor therefore cannot use another person's identifier.
 */
import { createHmac } from 'node:crypto';
import type { Channel } from '../bots/channels.ts';
import { Refusal } from '../errors.ts';
import { isSameSecret } from '../platforms/signature.ts';

/**
 * The verified identifier; null: none was sent. Throws Refusal IDENTITY_INVALID for a wrong hash or a channel without identity key,
 * IDENTITY_REQUIRED if the channel requires an identifier and none was sent. Takes the same time for every wrong hash.
 */
export function provenIdentifier(
  { identityKey, identityRequired }: Pick<Channel, 'identityKey' | 'identityRequired'>,
  { identifier, identifierHash }: { identifier: string | undefined; identifierHash: string | undefined },
): string | null {
  if (identifier === undefined) {
    if (!identityRequired) return null;
    throw new Refusal('IDENTITY_REQUIRED', 'This chat requires a signed-in customer: send an identifier.');
  }
  const isRight =
    identityKey !== null &&
    isSameSecret((identifierHash ?? '').toLowerCase(), identifierHashOf(identityKey, identifier));
  if (isRight) return identifier;
  throw new Refusal(
    'IDENTITY_INVALID',
    'identifierHash must be the HMAC-SHA-256 of the identifier under the identity key, in hexadecimal.',
  );
}

/** The signature that the business's server sends with the identifier. */
export function identifierHashOf(identityKey: string, identifier: string): string {
  return createHmac('sha256', identityKey).update(identifier).digest('hex');
}
