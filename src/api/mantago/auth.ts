/**
 * Authenticates callers: the API token of the `Authorization` header, and the pair that it belongs to.
 *
 * Verifying a signature is the most expensive part of a small call, so the claims of a verified token are cached. Each call checks
 * the expiry, and the database whether the pair is still valid.
 */
import { LRUCache } from 'lru-cache';
import {
  type Credential,
  isReplaced,
  isSecretOf,
  readToken,
  type TokenClaims,
} from '../../auth/api-pairs.ts';
import type { Keys } from '../../auth/keys.ts';
import type { Queryable } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';

const tokensKeptMax = 10_000;
const headerLengthMax = 2_000;

export class Tokens {
  readonly #keys: Keys;
  readonly #verified = new LRUCache<string, TokenClaims>({ max: tokensKeptMax });

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** The claims of the header's token. Throws Refusal TOKEN_INVALID without a valid one; `expiredToo` accepts an expired one. */
  async read(
    header: string | undefined,
    { now, expiredToo }: { now: number; expiredToo: boolean },
  ): Promise<TokenClaims> {
    const claims = header !== undefined && header.length <= headerLengthMax ? await this.#read(header) : null;
    if (claims === null) throw new Refusal('TOKEN_INVALID', 'There is no token, or Shoal did not issue it.');
    if (claims.expiresAt <= now && !expiredToo) throw new Refusal('TOKEN_INVALID', 'The token has expired.');
    return claims;
  }

  async #read(header: string): Promise<TokenClaims | null> {
    const cached = this.#verified.get(header);
    if (cached) return cached;
    const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header)?.[1];
    const claims = token === undefined ? null : await readToken(this.#keys, token);
    if (claims !== null) this.#verified.set(header, claims);
    return claims;
  }
}

/** Throws unless the caller's pair is the bot's valid one: Refusal PAIR_REPLACED for an earlier one, else PERMISSION_DENIED. */
export async function checkPair(
  sql: Queryable,
  { botId, pairId }: TokenClaims,
  credential: Credential | null,
): Promise<Credential> {
  if (credential?.pairId === pairId) return credential;
  if (await isReplaced(sql, botId, pairId)) throw new Refusal('PAIR_REPLACED', 'The pair has been replaced.');
  throw new Refusal('PERMISSION_DENIED', 'The pair is not one of the bot.');
}

/** Throws Refusal PERMISSION_DENIED unless the secret is the pair's. */
export function checkSecret(credential: Credential, secret: string): void {
  if (!isSecretOf(credential, secret)) {
    throw new Refusal('PERMISSION_DENIED', 'The secret is not the one of its pair.');
  }
}
