/**
 * Tokens for LINE's API on a bot's LINE channel: the channel's own access token, so existing clients only need a new base URL, and
 * any number of created tokens. A created token has a scope and may expire.
 *
 * Only the SHA-256 is stored; long random tokens need no slower hash. If two bots have the same token, it belongs to the last one to
 * get it.
 */
import { hash } from 'node:crypto';
import type { Keys } from '../auth/keys.ts';
import { checkEnd } from '../auth/token-end.ts';
import type { Fragment, Queryable, Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { lockBot } from './bots.ts';
import { type Channel, type ChannelRow, channelColumns, openChannel } from './channels.ts';

/** In ascending order; each one includes those before it. The gateway defines the calls of each. */
export const lineTokenScopes = ['insight', 'send', 'all'] as const;
export type LineTokenScope = (typeof lineTokenScopes)[number];

/** A created token in lists, without its secret. */
export type LineToken = {
  tokenId: string;
  scope: LineTokenScope;
  createdAt: Date;
  /** Null: it does not expire. */
  expiresAt: Date | null;
  revokedAt: Date | null;
};
type Context = { now: number; random: Random };

const tokenBytes = 32;

/**
 * Creates a token of 43 characters for the bot's LINE channel, which is returned only here. `expiresAt` in ms, null: never. Throws
 * Refusal BOT_NOT_FOUND, CHANNEL_NOT_FOUND, INPUT_INVALID (expiry).
 */
export async function createLineToken(
  sql: Sql,
  botId: string,
  { scope = 'insight', expiresAt = null }: { scope?: LineTokenScope; expiresAt?: number | null },
  context: Context,
): Promise<LineToken & { token: string }> {
  const end = checkEnd(expiresAt, context.now);
  const token = Buffer.from(context.random(tokenBytes)).toString('base64url');
  return sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const channels = await tx`select from channels where bot_id = ${botId} and platform = 'line'`;
    if (channels.length === 0) throw new Refusal('CHANNEL_NOT_FOUND', `Bot ${botId} has no line channel.`);
    const created = { kind: 'made', scope, expiresAt: end, token } as const;
    const tokenId = await insertToken(tx, botId, created, context);
    const createdAt = new Date(context.now);
    return { tokenId, scope, createdAt, expiresAt: end, revokedAt: null, token };
  });
}

/** The bot's created tokens, oldest first, including revoked ones. */
export async function listLineTokens(sql: Queryable, botId: string): Promise<LineToken[]> {
  return sql<LineToken[]>`
    select token_id as "tokenId", scope, created_at as "createdAt", expires_at as "expiresAt", revoked_at as "revokedAt"
    from line_tokens where bot_id = ${botId} and kind = 'made'
    order by created_at, token_id`;
}

/** Revokes a created token at once. Safe to repeat. Throws Refusal LINE_TOKEN_NOT_FOUND. */
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

/** Accepts the channel's own access token for calls, instead of the previous one. Safe to repeat. Needs the bot's lock. */
export async function setChannelToken(
  tx: Transaction,
  botId: string,
  token: string,
  context: Context,
): Promise<void> {
  await tx`delete from line_tokens where bot_id = ${botId} and kind = 'channel'`;
  await insertToken(tx, botId, { kind: 'channel', scope: 'all', expiresAt: null, token }, context);
}

/** The stored hash of a token, hexadecimal. */
export function hashLineToken(token: string): string {
  return hash('sha256', token);
}

/** The bot of a token. */
export type TokenBot = {
  botId: string;
  /** Changes with each change of the bot's snapshots. */
  snapshotVersion: string;
};

/** The bot of the token with this hash; null: the token is not valid. Of two bots the last one to get it. */
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

/** A caller of LINE's API through the gateway. */
export type LineCaller = {
  botId: string;
  /** The token's scope; LINE's own tokens open all calls. */
  scope: LineTokenScope;
  /** The channel is enabled. */
  enabled: boolean;
  /** Whether clicks are counted by default. */
  trackClicks: boolean;
  /** For LINE: the channel whose token replaces a created one; null: the caller has a token of LINE. */
  channel: Channel | null;
};

type CallerRow = Omit<LineCaller, 'channel'> & ChannelRow & { kind: string };

/**
 * The gateway's caller with the token; null: the token is not valid. A created token is replaced by one of LINE, which callers never
 * see. If two bots have the token, the last one to get it is meant. Throws Refusal INPUT_INVALID if the channel's credentials were sealed
 * with another secret key.
 */
export async function findLineCaller(
  sql: Queryable,
  keys: Keys,
  { token, now }: { token: string; now: number },
): Promise<LineCaller | null> {
  const [row] = await sql<CallerRow[]>`
    select token.bot_id as "botId", token.kind, token.scope, track_clicks as "trackClicks", ${channelColumns(sql)}
    from (
      select bot_id, kind, scope from line_tokens
      where token_hash = decode(${hashLineToken(token)}, 'hex') and revoked_at is null
        and (expires_at is null or expires_at > ${new Date(now)})
      order by created_at desc, bot_id limit 1
    ) token
    join channels on channels.bot_id = token.bot_id and channels.platform = 'line'`;
  if (!row) return null;
  const { botId, scope, enabled, trackClicks, kind } = row;
  const channel = kind === 'channel' ? null : openChannel(row, keys, { botId, platform: 'line', now });
  return { botId, scope, enabled, trackClicks, channel };
}

/** The caller with a token of LINE for this channel id; null: no bot has the channel. */
export async function findCallerOfChannel(sql: Queryable, channelId: string): Promise<LineCaller | null> {
  const [row] = await sql<Pick<LineCaller, 'botId' | 'enabled' | 'trackClicks'>[]>`
    select bot_id as "botId", enabled, track_clicks as "trackClicks" from channels
    where channel_id = ${channelId} and platform = 'line'`;
  return row ? { ...row, scope: 'all', channel: null } : null;
}

/**
 * Whether LINE may know a token that is not valid here: false if no channel has a channel id, and for tokens that Shoal knows, also after
 * their expiry or revocation, so that LINE never receives them.
 */
export async function mayBeOfLine(sql: Queryable, tokenHash: string): Promise<boolean> {
  const isStored = (state: Fragment) =>
    sql`exists (select 1 from line_tokens where token_hash = decode(${tokenHash}, 'hex') and ${state})`;
  const [row] = await sql<{ isPossible: boolean }[]>`
    select exists (select 1 from channels where channel_id is not null)
      and not ${isStored(sql`revoked_at is null`)} and not ${isStored(sql`revoked_at is not null`)} as "isPossible"`;
  return row?.isPossible ?? false;
}

/** The bot of a channel id, as `findTokenBot`. */
export async function findChannelBot(sql: Queryable, channelId: string): Promise<TokenBot | null> {
  const [row] = await sql<TokenBot[]>`
    select bot_id as "botId", snapshot_version::text as "snapshotVersion"
    from channels join bots using (bot_id)
    where channel_id = ${channelId} and platform = 'line'`;
  return row ?? null;
}

type NewToken = { kind: 'channel' | 'made'; scope: LineTokenScope; expiresAt: Date | null; token: string };

async function insertToken(
  tx: Transaction,
  botId: string,
  { kind, scope, expiresAt, token }: NewToken,
  { now, random }: Context,
): Promise<string> {
  const tokenId = newId(random);
  await tx`
    insert into line_tokens (bot_id, token_id, kind, scope, token_hash, created_at, expires_at)
    values (${botId}, ${tokenId}, ${kind}, ${scope}, decode(${hashLineToken(token)}, 'hex'), ${new Date(now)}, ${expiresAt})`;
  return tokenId;
}
