/**
 * Admin tokens open the management API and the dashboard, for some or all bots, with the scope read, write or admin.
 *
 * A token is 32 random bytes after a prefix, which secret scanners recognise. Only its SHA-256 is stored; random bytes need no slower
 * hash. Each call checks the token, so revocation and expiry take effect at once.
 */
import { hash } from 'node:crypto';
import type { Queryable } from '../database/client.ts';
import { invalidInput, Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { minuteMs } from '../time.ts';
import { checkEnd } from './token-end.ts';
import { withdrawInvitations } from './withdraw-invitations.ts';

/** In ascending order; each one includes those before it. */
export const adminScopes = ['read', 'write', 'admin'] as const;
export type AdminScope = (typeof adminScopes)[number];

/** A caller with a token. `botIds` null: all bots. */
export type AdminCaller = {
  tokenId: string;
  name: string;
  scope: AdminScope;
  botIds: readonly string[] | null;
};

/** A token in lists, without its secret. */
export type AdminToken = AdminCaller & {
  createdAt: Date;
  /** To the minute; null: never. */
  lastUsedAt: Date | null;
  /** Null: it does not expire. */
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
  /** ms; omitted or null: it does not expire. */
  expiresAt?: number | null;
};

/** Creates a token, which is returned only here. Throws Refusal INPUT_INVALID (name, bots, expiry), BOT_NOT_FOUND. */
export async function createAdminToken(
  sql: Queryable,
  { name, scope, botIds, expiresAt = null }: NewAdminToken,
  { now, random }: { now: number; random: Random },
): Promise<AdminToken & { token: string }> {
  checkName(name);
  const end = checkEnd(expiresAt, now);
  const uniqueIds = botIds === null ? null : [...new Set(botIds)].sort();
  if (uniqueIds !== null) await checkBots(sql, uniqueIds);
  const token = `${tokenPrefix}${Buffer.from(random(tokenBytes)).toString('base64url')}`;
  const created = {
    tokenId: newId(random),
    name,
    scope,
    botIds: uniqueIds,
    createdAt: new Date(now),
    lastUsedAt: null,
    expiresAt: end,
    revokedAt: null,
  };
  await sql`
    insert into admin_tokens (token_id, name, scope, bot_ids, token_hash, created_at, expires_at)
    values (${created.tokenId}, ${name}, ${scope}, ${uniqueIds}::text[], ${hash('sha256', token, 'buffer')}, ${created.createdAt}, ${end})`;
  return { ...created, token };
}

/** All tokens, oldest first, revoked ones too. */
export async function listAdminTokens(sql: Queryable): Promise<AdminToken[]> {
  return sql<AdminToken[]>`select ${columns(sql)} from admin_tokens order by created_at, token_id`;
}

/** The token without its secret. Throws Refusal ADMIN_TOKEN_NOT_FOUND. */
export async function findAdminToken(sql: Queryable, tokenId: string): Promise<AdminToken> {
  const [token] = await sql<
    AdminToken[]
  >`select ${columns(sql)} from admin_tokens where token_id = ${tokenId}`;
  return token ?? refuseUnknown(tokenId);
}

/** Revokes a token and its invitations at once. Safe to repeat. Throws Refusal ADMIN_TOKEN_NOT_FOUND. */
export async function revokeAdminToken(
  sql: Queryable,
  { tokenId, now }: { tokenId: string; now: number },
): Promise<void> {
  const revoked = await sql`
    update admin_tokens set revoked_at = coalesce(revoked_at, ${new Date(now)}) where token_id = ${tokenId}`;
  if (revoked.count === 0) refuseUnknown(tokenId);
  await withdrawInvitations(sql, tokenId);
}

/** The caller with the token; null: the token is not valid. Notes the use, at most once a minute. */
export async function findAdminCaller(
  sql: Queryable,
  token: string,
  { now }: { now: number },
): Promise<AdminCaller | null> {
  if (!tokenForm.test(token)) return null;
  const [row] = await sql<(AdminCaller & { lastUsedAt: Date | null })[]>`
    select token_id as "tokenId", name, scope, bot_ids as "botIds", last_used_at as "lastUsedAt" from admin_tokens
    where token_hash = ${hash('sha256', token, 'buffer')} and revoked_at is null
      and (expires_at is null or expires_at > ${new Date(now)})`;
  if (!row) return null;
  const { lastUsedAt, ...caller } = row;
  if (now - (lastUsedAt?.getTime() ?? 0) >= usedEveryMs) await noteUse(sql, caller.tokenId, now);
  return caller;
}

/** Whether the caller may use the bot. */
export function mayUseBot({ botIds }: Pick<AdminCaller, 'botIds'>, botId: string): boolean {
  return botIds === null || botIds.includes(botId);
}

/** Notes a use of the token, at most once a minute; one of several concurrent calls writes. */
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
    throw invalidInput(`A token is for all bots, or for 1 to ${botIdsMax} of them, not ${botIds.length}.`);
  }
  const rows = await sql<{ bot_id: string }[]>`select bot_id from bots where bot_id = any(${botIds}::text[])`;
  const missing = botIds.find((botId) => !rows.some(({ bot_id }) => bot_id === botId));
  if (missing !== undefined) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${missing}.`);
}

function checkName(name: string): void {
  if (name.length <= nameLengthMax && !/[\p{Cc}\p{Cs}]/u.test(name)) return;
  throw invalidInput(
    `A token's name has at most ${nameLengthMax} characters and no control characters, not ${JSON.stringify(name.slice(0, nameLengthMax + 1))}.`,
  );
}

function refuseUnknown(tokenId: string): never {
  throw new Refusal('ADMIN_TOKEN_NOT_FOUND', `There is no admin token ${tokenId}.`);
}
