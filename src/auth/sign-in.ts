/**
 * Signing in with a name and a password, or with an admin token. An unknown name and a wrong password get the same message after the
 * same time.
 *
 *     attempt counted → password checked → attempt taken back, session opened
 */
import type { Logger } from 'pino';
import type { Queryable, Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import type { Random } from '../random.ts';
import { findAdminCaller } from './admin-tokens.ts';
import { type Attempt, beginAttempt, takeBack } from './attempts.ts';
import type { Passwords } from './passwords.ts';
import { openSession } from './sessions.ts';
import { nameKeyOf } from './users.ts';

export type SignInSources = {
  sql: Sql;
  passwords: Passwords;
  /** Hashes names and addresses of attempts. */
  attemptKey: Uint8Array;
  random: Random;
  log: Pick<Logger, 'info'>;
};

type SignIn = { address: string; browser?: string | null; now: number };

/** Opens a session of the user. Returns the token for the cookie. Throws Refusal SIGN_IN_FAILED, SIGN_IN_LIMITED. */
export async function signInUser(
  sources: SignInSources,
  { name, password, address, browser = null, now }: SignIn & { name: string; password: string },
): Promise<string> {
  const { sql, passwords, attemptKey, random, log } = sources;
  const key = nameKeyOf(name);
  const attempt = await beginAttempt(sql, { name: key, address }, { now, key: attemptKey });
  const user = await findCredential(sql, key);
  const { isRight, isOutdated } = await unlessBusy(sql, attempt, () =>
    passwords.check(password, user?.hash ?? null),
  );
  if (user === null || !isRight) {
    // Without the typed name, which may be a password.
    log.info({ userId: user?.userId ?? null, from: address }, 'a wrong name or password');
    refuse();
  }
  const hash = isOutdated ? await unlessBusy(sql, attempt, () => passwords.hash(password)) : user.hash;
  return sql.begin(async (tx) => {
    const signedIn = await tx`
      update users set last_sign_in_at = ${new Date(now)}, password_hash = ${hash}
      where user_id = ${user.userId} and password_hash = ${user.hash} and disabled_at is null`;
    // The user is disabled, or was removed or got another password during the check.
    if (signedIn.count === 0) refuse();
    await takeBack(tx, attempt, { forget: true });
    return openSession(tx, { userId: user.userId }, { now, random, origin: { address, browser } });
  });
}

/** Opens a session of the admin token, otherwise like `signInUser`. The session ends with the token. */
export async function signInToken(
  { sql, attemptKey, random }: SignInSources,
  { token, address, browser = null, now }: SignIn & { token: string },
): Promise<string> {
  const attempt = await beginAttempt(sql, { name: null, address }, { now, key: attemptKey });
  const caller = await findAdminCaller(sql, token, { now });
  if (caller === null) refuse();
  return sql.begin(async (tx) => {
    await takeBack(tx, attempt, { forget: true });
    return openSession(tx, { tokenId: caller.tokenId }, { now, random, origin: { address, browser } });
  });
}

/** Throws Refusal SIGN_IN_FAILED if the password is wrong; counted like a sign-in attempt. */
export async function checkOwnPassword(
  { sql, passwords, attemptKey }: SignInSources,
  { userId, password, address, now }: SignIn & { userId: string; password: string },
): Promise<void> {
  const [user] = await sql<{ key: string; hash: string }[]>`
    select name_key as key, password_hash as hash from users where user_id = ${userId}`;
  if (!user) refuse();
  const attempt = await beginAttempt(sql, { name: user.key, address }, { now, key: attemptKey });
  const { isRight } = await unlessBusy(sql, attempt, () => passwords.check(password, user.hash));
  if (!isRight) refuse();
  await takeBack(sql, attempt, { forget: true });
}

async function findCredential(
  sql: Queryable,
  nameKey: string,
): Promise<{ userId: string; hash: string } | null> {
  const [user] = await sql<{ userId: string; hash: string }[]>`
    select user_id as "userId", password_hash as hash from users where name_key = ${nameKey}`;
  return user ?? null;
}

/** Takes the attempt back if the check could not run. */
async function unlessBusy<Result>(
  sql: Queryable,
  attempt: Attempt,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    await takeBack(sql, attempt, { forget: false });
    throw error;
  }
}

function refuse(): never {
  throw new Refusal('SIGN_IN_FAILED', 'The name or the password, or the token, is wrong.');
}
