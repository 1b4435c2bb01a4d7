/**
 * Who calls: API tokens from the `Authorization` header, and whether a caller's pair is the one that the bot has.
 *
 * Checking a signature is the dearest part of a small call, so what a token says is remembered once its signature was right;
 * whether it has expired is asked each time, and whether its pair is still valid is a matter of the database.
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
  readonly #known = new LRUCache<string, TokenClaims>({ max: tokensKeptMax });

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** What the header's token says. Throws Refusal TOKEN_INVALID for none, one that is not ours, and unless `expiredToo` an expired one. */
  async read(
    header: string | undefined,
    { now, expiredToo }: { now: number; expiredToo: boolean },
  ): Promise<TokenClaims> {
    const claims = header !== undefined && header.length <= headerLengthMax ? await this.#read(header) : null;
    if (claims === null) throw new Refusal('TOKEN_INVALID', 'There is no token, or it is not one of ours.');
    if (claims.expiresAt <= now && !expiredToo) throw new Refusal('TOKEN_INVALID', 'The token has expired.');
    return claims;
  }

  async #read(header: string): Promise<TokenClaims | null> {
    const known = this.#known.get(header);
    if (known) return known;
    const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header)?.[1];
    const claims = token === undefined ? null : await readToken(this.#keys, token);
    if (claims !== null) this.#known.set(header, claims);
    return claims;
  }
}

/** Throws unless the caller's pair is the bot's valid one: Refusal PAIR_REPLACED when it once was, else PERMISSION_DENIED. */
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
