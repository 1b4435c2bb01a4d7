/**
 * Tokens that open the LINE Insight calls for a bot's LINE channel: the channel's own access token, so that an existing
 * program only changes its host, and any number of tokens made here.
 *
 * Only the SHA-256 is kept: LINE's tokens and ours are long and random, so nothing slower is needed against guessing. Where
 * the same token stands with two bots, it is good for the one that got it last.
 */
import { hash } from 'node:crypto';
import type { Queryable, Sql, Transaction } from '../database/database.ts';
import { Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { lockBot } from './bots.ts';

/** A made token as it is listed, without what opens. */
export type LineToken = { tokenId: string; createdAt: Date; revokedAt: Date | null };
type Making = { now: number; random: Random };

const tokenBytes = 32;

/**
 * Makes a token for the bot's LINE channel; it is told this once, has 43 characters and no end. Throws Refusal BOT_NOT_FOUND,
 * CHANNEL_NOT_FOUND.
 */
export async function createLineToken(
  sql: Sql,
  botId: string,
  making: Making,
): Promise<{ tokenId: string; token: string }> {
  const token = Buffer.from(making.random(tokenBytes)).toString('base64url');
  return sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const channels = await tx`select from channels where bot_id = ${botId} and platform = 'line'`;
    if (channels.length === 0) throw new Refusal('CHANNEL_NOT_FOUND', `Bot ${botId} has no line channel.`);
    return { tokenId: await insertToken(tx, botId, 'made', token, making), token };
  });
}

/** The tokens made for the bot, oldest first, revoked ones too. */
export async function listLineTokens(sql: Queryable, botId: string): Promise<LineToken[]> {
  return sql<LineToken[]>`
    select token_id as "tokenId", created_at as "createdAt", revoked_at as "revokedAt"
    from line_tokens where bot_id = ${botId} and kind = 'made'
    order by created_at, token_id`;
}

/** Ends a made token at once. Safe to repeat. Throws Refusal INPUT_INVALID when the bot has no such token. */
export async function revokeLineToken(
  sql: Queryable,
  { botId, tokenId, now }: { botId: string; tokenId: string; now: number },
): Promise<void> {
  const revoked = await sql`
    update line_tokens set revoked_at = coalesce(revoked_at, ${new Date(now)})
    where bot_id = ${botId} and token_id = ${tokenId} and kind = 'made'`;
  if (revoked.count === 0) throw new Refusal('INPUT_INVALID', `Bot ${botId} has no token ${tokenId}.`);
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
  await insertToken(tx, botId, 'channel', token, making);
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
export async function findTokenBot(sql: Queryable, tokenHash: string): Promise<TokenBot | null> {
  const [row] = await sql<TokenBot[]>`
    select bot_id as "botId", snapshot_version::text as "snapshotVersion"
    from line_tokens join bots using (bot_id)
    where token_hash = decode(${tokenHash}, 'hex') and revoked_at is null
    order by line_tokens.created_at desc, bot_id limit 1`;
  return row ?? null;
}

async function insertToken(
  tx: Transaction,
  botId: string,
  kind: 'channel' | 'made',
  token: string,
  { now, random }: Making,
): Promise<string> {
  const tokenId = newId(random);
  await tx`
    insert into line_tokens (bot_id, token_id, kind, token_hash, created_at)
    values (${botId}, ${tokenId}, ${kind}, decode(${hashLineToken(token)}, 'hex'), ${new Date(now)})`;
  return tokenId;
}
