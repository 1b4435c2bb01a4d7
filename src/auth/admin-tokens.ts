/**
 * Admin tokens: what opens the management API and the dashboard, for some bots or for all, to read, to write or to do
 * everything.
 *
 * A token is 32 random bytes behind a prefix by which it is recognised wherever it should not be. Only its SHA-256 is kept:
 * nothing slower is needed against guessing. Each call checks whether it is valid, so a revoked or expired one is refused at
 * once.
 */
import { createHash } from 'node:crypto';
import type { Queryable, Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { minuteMs } from '../time.ts';
import { checkEnd } from './token-end.ts';

/** From less to more; each may do what the ones before it may. */
export const adminScopes = ['read', 'write', 'admin'] as const;
export type AdminScope = (typeof adminScopes)[number];

/** What a caller with a token may do. `botIds` null: with all bots. */
export type AdminCaller = {
  tokenId: string;
  name: string;
  scope: AdminScope;
  botIds: readonly string[] | null;
};

/** A token as it is listed, without what opens. */
export type AdminToken = AdminCaller & {
  createdAt: Date;
  /** To the minute; null: not used yet. */
  lastUsedAt: Date | null;
  /** Null: no end. */
  expiresAt: Date | null;
  revokedAt: Date | null;
};

const tokenForm = /^shoal_admin_[\w-]{43}$/;
const tokenPrefix = 'shoal_admin_';
const tokenBytes = 32;
const nameLengthMax = 200;
const botIdsMax = 1_000;
const usedEveryMs = minuteMs;

type NewAdminToken = {
  name: string;
  scope: AdminScope;
  /** Null: all bots. */
  botIds: readonly string[] | null;
  /** ms; left out or null: no end. */
  expiresAt?: number | null;
};

/** Makes a token; it is shown only here. Throws Refusal INPUT_INVALID (name, number of bots, end), BOT_NOT_FOUND. */
export async function createAdminToken(
  sql: Sql,
  { name, scope, botIds, expiresAt = null }: NewAdminToken,
  { now, random }: { now: number; random: Random },
): Promise<AdminToken & { token: string }> {
  checkName(name);
  const end = checkEnd(expiresAt, now);
  const own = botIds === null ? null : [...new Set(botIds)].sort();
  if (own !== null) await checkBots(sql, own);
  const token = `${tokenPrefix}${Buffer.from(random(tokenBytes)).toString('base64url')}`;
  const made = {
    tokenId: newId(random),
    name,
    scope,
    botIds: own,
    createdAt: new Date(now),
    lastUsedAt: null,
    expiresAt: end,
    revokedAt: null,
  };
  await sql`
    insert into admin_tokens (token_id, name, scope, bot_ids, token_hash, created_at, expires_at)
    values (${made.tokenId}, ${name}, ${scope}, ${own}::text[], ${hashOf(token)}, ${made.createdAt}, ${end})`;
  return { ...made, token };
}

/** All tokens, oldest first, revoked ones too. */
export async function listAdminTokens(sql: Queryable): Promise<AdminToken[]> {
  return sql<AdminToken[]>`select ${columns(sql)} from admin_tokens order by created_at, token_id`;
}

/** The token without what opens. Throws Refusal ADMIN_TOKEN_NOT_FOUND. */
export async function findAdminToken(sql: Queryable, tokenId: string): Promise<AdminToken> {
  const [token] = await sql<
    AdminToken[]
  >`select ${columns(sql)} from admin_tokens where token_id = ${tokenId}`;
  return token ?? refuseUnknown(tokenId);
}

/** Ends a token at once. Safe to repeat. Throws Refusal ADMIN_TOKEN_NOT_FOUND. */
export async function revokeAdminToken(
  sql: Queryable,
  { tokenId, now }: { tokenId: string; now: number },
): Promise<void> {
  const revoked = await sql`
    update admin_tokens set revoked_at = coalesce(revoked_at, ${new Date(now)}) where token_id = ${tokenId}`;
  if (revoked.count === 0) refuseUnknown(tokenId);
}

/** Who calls with the token; null: nobody may. Notes the use, at most once a minute. */
export async function findAdminCaller(
  sql: Queryable,
  token: string,
  { now }: { now: number },
): Promise<AdminCaller | null> {
  if (!tokenForm.test(token)) return null;
  const [row] = await sql<(AdminCaller & { lastUsedAt: Date | null })[]>`
    select token_id as "tokenId", name, scope, bot_ids as "botIds", last_used_at as "lastUsedAt" from admin_tokens
    where token_hash = ${hashOf(token)} and revoked_at is null
      and (expires_at is null or expires_at > ${new Date(now)})`;
  if (!row) return null;
  const { lastUsedAt, ...caller } = row;
  if (now - (lastUsedAt?.getTime() ?? 0) >= usedEveryMs) await noteUse(sql, caller.tokenId, now);
  return caller;
}

/** True for a bot that the caller may know of. */
export function mayUseBot({ botIds }: Pick<AdminCaller, 'botIds'>, botId: string): boolean {
  return botIds === null || botIds.includes(botId);
}

/** Notes a use of the token, at most once a minute; of several calls at once one writes. */
export async function noteUse(sql: Queryable, tokenId: string, now: number): Promise<void> {
  await sql`
    update admin_tokens set last_used_at = ${new Date(now)}
    where token_id = ${tokenId}
      and (last_used_at is null or last_used_at <= ${new Date(now - usedEveryMs)})`;
}

function columns(sql: Queryable) {
  return sql`token_id as "tokenId", name, scope, bot_ids as "botIds", created_at as "createdAt",
    last_used_at as "lastUsedAt", expires_at as "expiresAt", revoked_at as "revokedAt"`;
}

async function checkBots(sql: Queryable, botIds: string[]): Promise<void> {
  if (botIds.length === 0 || botIds.length > botIdsMax) {
    throw new Refusal(
      'INPUT_INVALID',
      `A token is for all bots, or for 1 to ${botIdsMax} of them, not ${botIds.length}.`,
    );
  }
  const found = await sql<
    { bot_id: string }[]
  >`select bot_id from bots where bot_id = any(${botIds}::text[])`;
  const missing = botIds.find((botId) => !found.some(({ bot_id }) => bot_id === botId));
  if (missing !== undefined) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${missing}.`);
}

function checkName(name: string): void {
  if (name.length <= nameLengthMax && !/[\p{Cc}\p{Cs}]/u.test(name)) return;
  throw new Refusal(
    'INPUT_INVALID',
    `A token's name has at most ${nameLengthMax} characters and no control characters, not ${JSON.stringify(name.slice(0, nameLengthMax + 1))}.`,
  );
}

function refuseUnknown(tokenId: string): never {
  throw new Refusal('ADMIN_TOKEN_NOT_FOUND', `There is no admin token ${tokenId}.`);
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
