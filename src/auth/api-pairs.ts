/**
 * API pairs: the token and the secret of a program that calls the MantaGo API for one bot.
 *
 * The token is a JWT (HS256, 30 days) with its bot (`sub`) and its pair (`jti`). Only the SHA-256 of the secret is stored; its 32
 * random bytes need no slower hash. A bot has one valid pair. Replaced pairs stay stored and are refused with their own error.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import { compactVerify } from 'jose/jws/compact/verify';
import { SignJWT } from 'jose/jwt/sign';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { nodeOf } from '../database/nodes.ts';
import { Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { dayMs, secondMs } from '../time.ts';
import type { Keys } from './keys.ts';

export type ApiPair = { apiToken: string; apiSecret: string };
/** The stored part of a bot's valid pair. */
export type Credential = { pairId: string; secretHash: Uint8Array };
/** The content of a token; `expiresAt` in ms. */
export type TokenClaims = { botId: string; pairId: string; expiresAt: number };
export type Making = { now: number; random: Random; keys: Keys };

const tokenDays = 30;
const secretBytes = 32;
const hashBytes = 32;
const algorithm = 'HS256';

/** Adds a pair to a bot without a valid one. */
export async function addPair(
  sql: Queryable,
  botId: string,
  { now, random, keys }: Making,
): Promise<ApiPair> {
  const pairId = newId(random);
  const apiSecret = Buffer.from(random(secretBytes)).toString('base64url');
  const expiresAt = now + tokenDays * dayMs;
  await sql`
    insert into api_pairs (bot_id, pair_id, secret_hash, created_at, expires_at)
    values (${botId}, ${pairId}, ${hash('sha256', apiSecret, 'buffer')}, ${new Date(now)}, ${new Date(expiresAt)})`;
  const apiToken = await new SignJWT()
    .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
    .setSubject(botId)
    .setJti(pairId)
    .setIssuedAt(toSeconds(now))
    .setExpirationTime(toSeconds(expiresAt))
    .sign(keys.current.tokenKey);
  return { apiToken, apiSecret };
}

/**
 * Replaces a pair. One of several concurrent calls gets the new pair; the others and all later ones get the Refusal PAIR_REPLACED.
 * Not safe to repeat: the new pair is returned once.
 */
export async function refreshPair(
  sql: Sql,
  { botId, pairId }: { botId: string; pairId: string },
  making: Making,
): Promise<ApiPair> {
  return sql.begin(async (tx) => {
    const replaced = await tx`
      update api_pairs set replaced_at = ${new Date(making.now)}
      where bot_id = ${botId} and pair_id = ${pairId} and replaced_at is null`;
    if (replaced.count === 0) throw new Refusal('PAIR_REPLACED', 'The pair has been replaced.');
    return addPair(tx, botId, making);
  });
}

/** Replaces the bot's pair, if any. Needs the bot's lock. */
export async function replacePair(tx: Transaction, botId: string, making: Making): Promise<ApiPair> {
  await tx`
    update api_pairs set replaced_at = ${new Date(making.now)}
    where bot_id = ${botId} and replaced_at is null`;
  return addPair(tx, botId, making);
}

/** The bot's valid pair (`credential` null: none); null: no such bot. */
export async function findCredential(
  database: Queryable,
  botId: string,
): Promise<{ credential: Credential | null } | null> {
  const sql = nodeOf(database, botId);
  const [row] = await sql<{ pair_id: string | null; secret_hash: Uint8Array | null }[]>`
    select pair_id, secret_hash
    from bots left join api_pairs pair on pair.bot_id = bots.bot_id and pair.replaced_at is null
    where bots.bot_id = ${botId}`;
  if (!row) return null;
  const { pair_id: pairId, secret_hash: secretHash } = row;
  return { credential: pairId !== null && secretHash !== null ? { pairId, secretHash } : null };
}

/** Whether the pair was valid once and has been replaced. */
export async function isReplaced(sql: Queryable, botId: string, pairId: string): Promise<boolean> {
  const rows = await sql`
    select from api_pairs where bot_id = ${botId} and pair_id = ${pairId} and replaced_at is not null`;
  return rows.length > 0;
}

/** The content of a token; null: it is not one of this server. The caller checks the expiry. */
export async function readToken(keys: Keys, token: string): Promise<TokenClaims | null> {
  const verified = await verifyToken(keys, token);
  if (verified === null) return null;
  const { sub, jti, exp } = JSON.parse(new TextDecoder().decode(verified.payload));
  if (typeof sub !== 'string' || typeof jti !== 'string' || typeof exp !== 'number') return null;
  return { botId: sub, pairId: jti, expiresAt: exp * secondMs };
}

/** A token of the previous key stays valid while this process has that key. */
async function verifyToken(keys: Keys, token: string): Promise<{ payload: Uint8Array } | null> {
  for (const { tokenKey } of keys.all) {
    // The last character of a signature has unused bits. Other values of them would be other spellings of the token.
    const signature = token.split('.').at(-1) ?? '';
    if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) return null;
    const verified = await compactVerify(token, tokenKey, { algorithms: [algorithm] }).catch(() => null);
    if (verified !== null) return verified;
  }
  return keys.reload() ? verifyToken(keys, token) : null;
}

/** The hash that is compared. One buffer for all calls: a new buffer is memory outside of the heap, which costs the garbage collection. */
const comparedHash = Buffer.alloc(hashBytes);

/** The hash of a secret, hexadecimal. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret);
}

/** Whether the secret with this hash belongs to the credential. Constant time. */
export function isSecretOf({ secretHash }: Credential, hashOfSecret: string): boolean {
  comparedHash.write(hashOfSecret, 'hex');
  return timingSafeEqual(comparedHash, secretHash);
}

function toSeconds(ms: number): number {
  return Math.floor(ms / secondMs);
}
