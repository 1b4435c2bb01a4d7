/**
 * Sessions of browsers. A session token is 32 random bytes in a cookie; only its SHA-256 is stored. A session ends 12 hours after its
 * last call, 7 days after its start, at sign-out, and with its user or admin token.
 *
 * Each call reads the rights from the user or token, so changes take effect at once.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Fragment, Queryable } from '../database/client.ts';
import type { Random } from '../random.ts';
import { dayMs, hourMs, minuteMs } from '../time.ts';
import { noteUse } from './admin-tokens.ts';
import type { SessionCaller } from './caller.ts';

/** The owner of a session. */
export type Holder = { userId: string } | { tokenId: string };

/** Where a session began: the address and the browser's User-Agent. */
export type Origin = { address: string; browser: string | null };

const browserLengthMax = 300;
const tokenBytes = 32;
const tokenForm = /^[\w-]{43}$/;
const idleMsMax = 12 * hourMs;
const wholeMsMax = 7 * dayMs;
const seenEveryMs = minuteMs;

/** Opens a session. Returns the token for the cookie, only here. */
export async function openSession(
  sql: Queryable,
  holder: Holder,
  { now, random, origin = null }: { now: number; random: Random; origin?: Origin | null },
): Promise<string> {
  const token = Buffer.from(random(tokenBytes)).toString('base64url');
  const { userId, tokenId } = { userId: null, tokenId: null, ...holder };
  await sql`
    insert into sessions (session_hash, user_id, token_id, created_at, seen_at, ends_at, address, browser)
    values (${hashOf(token)}, ${userId}, ${tokenId}, ${new Date(now)}, ${new Date(now)}, ${new Date(now + wholeMsMax)},
      ${origin?.address ?? null}, ${origin?.browser?.slice(0, browserLengthMax) ?? null})`;
  return token;
}

type SessionRow = Omit<SessionCaller, 'session'> & { hash: Buffer; seenAt: Date; endsAt: Date };

/** The caller with the session; null: no valid session, user or token. Notes the call, at most once a minute. */
export async function findSessionCaller(
  sql: Queryable,
  token: string,
  { now }: { now: number },
): Promise<SessionCaller | null> {
  if (!tokenForm.test(token)) return null;
  const [row] = await sql<SessionRow[]>`
    select case when u.user_id is null then 'token' else 'user' end as kind,
      coalesce(u.user_id, t.token_id) as id, coalesce(u.name, t.name) as name, coalesce(u.scope, t.scope) as scope,
      case when u.user_id is null then t.bot_ids else u.bot_ids end as "botIds",
      s.session_hash as hash, s.seen_at as "seenAt", least(s.ends_at, t.expires_at) as "endsAt"
    from sessions s
      left join users u on u.user_id = s.user_id and u.disabled_at is null
      left join admin_tokens t on t.token_id = s.token_id and t.revoked_at is null
        and (t.expires_at is null or t.expires_at > ${new Date(now)})
    where s.session_hash = ${hashOf(token)} and s.seen_at > ${new Date(now - idleMsMax)}
      and s.ends_at > ${new Date(now)} and num_nonnulls(u.user_id, t.token_id) = 1`;
  if (!row) return null;
  const { hash, seenAt, endsAt, ...caller } = row;
  const isNoted = now - seenAt.getTime() < seenEveryMs;
  if (!isNoted) await noteCall(sql, row, now);
  const idleUntil = (isNoted ? seenAt.getTime() : now) + idleMsMax;
  const expiresAt = Math.min(idleUntil, endsAt.getTime());
  return { ...caller, session: { hash, csrfToken: csrfTokenOf(token), expiresAt } };
}

/** Ends a session at once. Safe to repeat. */
export async function endSession(sql: Queryable, token: string): Promise<void> {
  await sql`delete from sessions where session_hash = ${hashOf(token)}`;
}

export type ListedSession = {
  /** Derived from the hash, so that it opens nothing. */
  sessionId: string;
  /** Null: unknown. */
  address: string | null;
  browser: string | null;
  createdAt: Date;
  /** To the minute. */
  lastUsedAt: Date;
  isCurrent: boolean;
};

/** The user's valid sessions, the last used first. `current`: the hash of the caller's. */
export async function listSessionsOf(
  sql: Queryable,
  userId: string,
  { current, now }: { current: Buffer; now: number },
): Promise<ListedSession[]> {
  return sql<ListedSession[]>`
    select ${sessionId(sql)} as "sessionId", address, browser, created_at as "createdAt", seen_at as "lastUsedAt",
      session_hash = ${current} as "isCurrent"
    from sessions
    where user_id = ${userId} and seen_at > ${new Date(now - idleMsMax)} and ends_at > ${new Date(now)}
    order by seen_at desc, created_at desc`;
}

/** Ends one session of the user at once. False: there is none with this id. */
export async function endSessionOf(sql: Queryable, userId: string, id: string): Promise<boolean> {
  const { count } = await sql`delete from sessions where user_id = ${userId} and ${sessionId(sql)} = ${id}`;
  return count > 0;
}

function sessionId(sql: Queryable): Fragment {
  return sql`left(encode(sha256(session_hash), 'hex'), 32)`;
}

/** Ends all sessions of a user except the one with the hash (null: all). Safe to repeat. */
export async function endSessionsOf(sql: Queryable, userId: string, except: Buffer | null): Promise<void> {
  await sql`
    delete from sessions where user_id = ${userId} and session_hash is distinct from ${except}::bytea`;
}

/** Deletes expired sessions. */
export async function purgeSessions(sql: Queryable, { now }: { now: number }): Promise<void> {
  await sql`
    delete from sessions where ends_at <= ${new Date(now)} or seen_at <= ${new Date(now - idleMsMax)}`;
}

// One of several concurrent calls writes.
async function noteCall(sql: Queryable, { kind, id, hash }: SessionRow, now: number): Promise<void> {
  await sql`
    update sessions set seen_at = ${new Date(now)}
    where session_hash = ${hash} and seen_at <= ${new Date(now - seenEveryMs)}`;
  if (kind === 'token') await noteUse(sql, id, now);
}

/** The CSRF token of a session, derived from the cookie's token, so it needs no storage. */
export function csrfTokenOf(token: string): string {
  return createHmac('sha256', token).update('shoal csrf').digest('base64url');
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
