/**
 * Setup links create the first user in the browser. The owner of the server gets one from its first start or from `shoal setup-link`.
 * A link is valid for an hour and until a user was created with any link; that of the first start also ends with the first user or admin
 * token of another way. Its token is 32 random bytes; only its SHA-256 is stored.
 */
import { createHash } from 'node:crypto';
import type { Fragment, Queryable } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import type { Random } from '../random.ts';
import { hourMs } from '../time.ts';
import { beginAttempt, takeBack } from './attempts.ts';
import { openSession } from './sessions.ts';
import type { SignInSources } from './sign-in.ts';
import { createUser } from './users.ts';

export type SetupLink = {
  /** Only here. */
  url: string;
  expiresAt: Date;
};

const tokenBytes = 32;
const validMs = hourMs;

type Making = { address: string; now: number; random: Random };
type Use = {
  token: string;
  name: string;
  password: string;
  address: string;
  browser?: string | null;
  now: number;
};

/** Creates a link below `address`, such as `https://shoal.example`. Earlier links stay valid. */
export function createSetupLink(sql: Queryable, making: Making): Promise<SetupLink> {
  return createLink(sql, making, { isFirst: false });
}

/** Creates the link of a first start; null: a user or an admin token exists already. */
export async function createFirstSetupLink(sql: Queryable, making: Making): Promise<SetupLink | null> {
  const [row] = await sql<{ isFirst: boolean }[]>`select ${isFirstStart(sql)} as "isFirst"`;
  return row?.isFirst ? createLink(sql, making, { isFirst: true }) : null;
}

async function createLink(
  sql: Queryable,
  { address, now, random }: Making,
  { isFirst }: { isFirst: boolean },
): Promise<SetupLink> {
  const token = Buffer.from(random(tokenBytes)).toString('base64url');
  const expiresAt = new Date(now + validMs);
  await sql`delete from setup_links where expires_at <= ${new Date(now)}`;
  await sql`
    insert into setup_links (token_hash, is_first, created_at, expires_at)
    values (${hashOf(token)}, ${isFirst}, ${new Date(now)}, ${expiresAt})`;
  // After #: browsers never send this part to a server.
  return { url: `${address}/setup#${token}`, expiresAt };
}

/** For queries: true while there is no user and no admin token. */
function isFirstStart(sql: Queryable): Fragment {
  return sql`not exists (select from users) and not exists (select from admin_tokens where revoked_at is null)`;
}

/**
 * Creates a user for all bots with the scope admin, ends all links, and opens a session. Returns the token for the cookie. After a
 * refusal of the name or the password the link stays valid. An invalid link counts as a failed sign-in. Throws Refusal
 * SETUP_LINK_INVALID, SIGN_IN_LIMITED, INPUT_INVALID, USER_EXISTS.
 */
export async function useSetupLink(
  { sql, passwords, attemptKey, random }: SignInSources,
  { token, name, password, address, browser = null, now }: Use,
): Promise<string> {
  const attempt = await beginAttempt(sql, { name: null, address }, { now, key: attemptKey });
  const [link] = await sql`
    select from setup_links
    where token_hash = ${hashOf(token)} and expires_at > ${new Date(now)} and (not is_first or (${isFirstStart(sql)}))`;
  if (!link) refuse();
  await takeBack(sql, attempt, { forget: false });
  const { session } = await sql.begin(async (tx) => {
    const { count } = await tx`delete from setup_links`;
    // Another call has used the link.
    if (count === 0) refuse();
    const user = { name, password, scope: 'admin', botIds: null } as const;
    const { userId } = await createUser(tx, user, { now, random, passwords });
    await tx`update users set last_sign_in_at = ${new Date(now)} where user_id = ${userId}`;
    return {
      userId,
      session: await openSession(tx, { userId }, { now, random, origin: { address, browser } }),
    };
  });
  return session;
}

function refuse(): never {
  throw new Refusal(
    'SETUP_LINK_INVALID',
    'The setup link has expired or was used. `npx shoal setup-link` prints a new one.',
  );
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
