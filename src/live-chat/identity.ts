/**
 * Known customers: the business's own server vouches for an identifier with HMAC-SHA-256 (hexadecimal) over it, under the
 * channel's identity key. So nobody can pass for another by writing that person's identifier into the page.
 */
import { createHmac } from 'node:crypto';
import type { Channel } from '../bots/channels.ts';
import { Refusal } from '../errors.ts';
import { isSameSecret } from '../platforms/signature.ts';

/**
 * The identifier that is vouched for; null: none was given. Throws Refusal IDENTITY_INVALID for a hash that is not right and
 * where the channel has no identity key, IDENTITY_REQUIRED where none was given and the channel asks for it. Takes the same time
 * for every wrong hash.
 */
export function provenIdentifier(
  { identityKey, identityRequired }: Pick<Channel, 'identityKey' | 'identityRequired'>,
  { identifier, identifierHash }: { identifier: string | undefined; identifierHash: string | undefined },
): string | null {
  if (identifier === undefined) {
    if (!identityRequired) return null;
    throw new Refusal(
      'IDENTITY_REQUIRED',
      'This chat is for customers who are signed in: send an identifier.',
    );
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

/** What the business's server sends beside the identifier. */
export function identifierHashOf(identityKey: string, identifier: string): string {
  return createHmac('sha256', identityKey).update(identifier).digest('hex');
}
