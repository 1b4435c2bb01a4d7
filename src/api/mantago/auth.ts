/**
 * Authenticates callers: the API token of the `Authorization` header, and the pair that it belongs to.
 *
 * Verifying a signature is the most expensive part of a small call, so the claims of a verified token are cached. Each call checks
 * the expiry, and the database whether the pair is still valid.
 */

import {
  type Credential,
  isReplaced,
  isSecretOf,
  readToken,
  type TokenClaims,
} from '../../auth/api-pairs.ts';
import type { Keys } from '../../auth/keys.ts';
import { boundedCache } from '../../bounded-cache.ts';
import type { Queryable } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';

const tokensKeptMax = 10_000;
const headerLengthMax = 2_000;

/** `expiredToo` accepts an expired token. */
type Reading = { now: number; expiredToo: boolean };

export class Tokens {
  readonly #keys: Keys;
  readonly #verified = boundedCache<string, TokenClaims>(tokensKeptMax);

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** The claims of the header's token if it is cached and valid, else null: then `read` decides. */
  find(header: string | undefined, { now, expiredToo }: Reading): TokenClaims | null {
    const claims = header === undefined ? undefined : this.#verified.get(header);
    return claims !== undefined && (claims.expiresAt > now || expiredToo) ? claims : null;
  }

  /** The claims of the header's token. Throws Refusal TOKEN_INVALID without a valid one. */
  async read(header: string | undefined, { now, expiredToo }: Reading): Promise<TokenClaims> {
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

/** The refusal of a caller whose pair is not the bot's valid one: PAIR_REPLACED for an earlier one, else PERMISSION_DENIED. */
export async function pairRefusal(sql: Queryable, { botId, pairId }: TokenClaims): Promise<Refusal> {
  if (await isReplaced(sql, botId, pairId))
    return new Refusal('PAIR_REPLACED', 'The pair has been replaced.');
  return new Refusal('PERMISSION_DENIED', 'The pair is not one of the bot.');
}

/** Throws Refusal PERMISSION_DENIED unless the secret with this hash is the pair's. */
export function checkSecret(credential: Credential, secretHash: string): void {
  if (!isSecretOf(credential, secretHash)) {
    throw new Refusal('PERMISSION_DENIED', 'The secret is not the one of its pair.');
  }
}
