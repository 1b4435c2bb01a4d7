/**
 * Tokens for LINE's calls on a bot's LINE channel: the channel's own access token, so that an existing program only changes
 * its host, and any number of tokens made here. A made token has a scope and may have an end.
 *
 * Only the SHA-256 is kept: LINE's tokens and ours are long and random, so nothing slower is needed against guessing. Where
 * the same token stands with two bots, it is good for the one that got it last.
 */
import { hash } from 'node:crypto';
import { checkEnd } from '../auth/token-end.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { lockBot } from './bots.ts';

/** From less to more; each opens the calls of the ones before it, too. The gateway says which those are. */
export const lineTokenScopes = ['insight', 'send', 'all'] as const;
export type LineTokenScope = (typeof lineTokenScopes)[number];

/** A made token as it is listed, without its secret. */
export type LineToken = {
  tokenId: string;
  scope: LineTokenScope;
  createdAt: Date;
  /** Null: no end. */
  expiresAt: Date | null;
  revokedAt: Date | null;
};
type Making = { now: number; random: Random };

const tokenBytes = 32;

/**
 * Makes a token of 43 characters for the bot's LINE channel; it is shown only here. `expiresAt` in ms, null: no end. Throws
 * Refusal BOT_NOT_FOUND, CHANNEL_NOT_FOUND, INPUT_INVALID (end).
 */
export async function createLineToken(
  sql: Sql,
  botId: string,
  { scope = 'insight', expiresAt = null }: { scope?: LineTokenScope; expiresAt?: number | null },
  making: Making,
): Promise<LineToken & { token: string }> {
  const end = checkEnd(expiresAt, making.now);
  const token = Buffer.from(making.random(tokenBytes)).toString('base64url');
  return sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const channels = await tx`select from channels where bot_id = ${botId} and platform = 'line'`;
    if (channels.length === 0) throw new Refusal('CHANNEL_NOT_FOUND', `Bot ${botId} has no line channel.`);
    const made = { kind: 'made', scope, expiresAt: end, token } as const;
    const tokenId = await insertToken(tx, botId, made, making);
    const createdAt = new Date(making.now);
    return { tokenId, scope, createdAt, expiresAt: end, revokedAt: null, token };
  });
}

/** The tokens made for the bot, oldest first, revoked ones too. */
export async function listLineTokens(sql: Queryable, botId: string): Promise<LineToken[]> {
  return sql<LineToken[]>`
    select token_id as "tokenId", scope, created_at as "createdAt", expires_at as "expiresAt", revoked_at as "revokedAt"
    from line_tokens where bot_id = ${botId} and kind = 'made'
    order by created_at, token_id`;
}

/** Ends a made token at once. Safe to repeat. Throws Refusal LINE_TOKEN_NOT_FOUND. */
export async function revokeLineToken(
  sql: Queryable,
  { botId, tokenId, now }: { botId: string; tokenId: string; now: number },
): Promise<void> {
  const revoked = await sql`
    update line_tokens set revoked_at = coalesce(revoked_at, ${new Date(now)})
    where bot_id = ${botId} and token_id = ${tokenId} and kind = 'made'`;
  if (revoked.count === 0)
    throw new Refusal('LINE_TOKEN_NOT_FOUND', `Bot ${botId} has no LINE token ${tokenId}.`);
}

/**
 * Makes the channel's own access token open the calls, in place of the one before. Safe to repeat. For a transaction that
 * holds the bot's lock.
 */
export async function setChannelToken(
  tx: Transaction,
  botId: string,
  token: string,
  making: Making,
): Promise<void> {
  await tx`delete from line_tokens where bot_id = ${botId} and kind = 'channel'`;
  await insertToken(tx, botId, { kind: 'channel', scope: 'all', expiresAt: null, token }, making);
}

/** What is kept of a token, in hexadecimal digits. */
export function hashLineToken(token: string): string {
  return hash('sha256', token);
}

/** Whom a token is good for. */
export type TokenBot = {
  botId: string;
  /** Another one after each change of the bot's snapshots. */
  snapshotVersion: string;
};

/** The bot that the token with this hash is good for; null: none. Of two bots with it the one that got it last. */
export async function findTokenBot(
  sql: Queryable,
  tokenHash: string,
  { now }: { now: number },
): Promise<TokenBot | null> {
  const [row] = await sql<TokenBot[]>`
    select bot_id as "botId", snapshot_version::text as "snapshotVersion"
    from line_tokens join bots using (bot_id)
    where token_hash = decode(${tokenHash}, 'hex') and revoked_at is null
      and (expires_at is null or expires_at > ${new Date(now)})
    order by line_tokens.created_at desc, bot_id limit 1`;
  return row ?? null;
}

type NewToken = { kind: 'channel' | 'made'; scope: LineTokenScope; expiresAt: Date | null; token: string };

async function insertToken(
  tx: Transaction,
  botId: string,
  { kind, scope, expiresAt, token }: NewToken,
  { now, random }: Making,
): Promise<string> {
  const tokenId = newId(random);
  await tx`
    insert into line_tokens (bot_id, token_id, kind, scope, token_hash, created_at, expires_at)
    values (${botId}, ${tokenId}, ${kind}, ${scope}, decode(${hashLineToken(token)}, 'hex'), ${new Date(now)}, ${expiresAt})`;
  return tokenId;
}
