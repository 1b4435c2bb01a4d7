/**
 * Operations on the session of the browser that calls: signing in and out, and the user's own password. The one place where an
 * answer sets a cookie.
 */

import { type Caller, inLog, type Session } from '../../auth/caller.ts';
import type { Passwords } from '../../auth/passwords.ts';
import { endSession, findSessionCaller } from '../../auth/sessions.ts';
import { checkOwnPassword, type SignInSources, signInToken, signInUser } from '../../auth/sign-in.ts';
import { updateUser } from '../../auth/users.ts';
import { Refusal } from '../../errors.ts';
import { textOf } from '../../json.ts';
import { isoOf, type ManagementCall, type ManagementOperations, type ManagementSources } from './call.ts';

export function sessionOperations({
  sql,
  keys: { attemptKey },
  clock,
  random,
  passwords,
  log,
}: ManagementSources & { passwords: Passwords }): ManagementOperations {
  const signInSources: SignInSources = { sql, passwords, attemptKey, random, log };
  return {
    async createSession(call) {
      const { browser } = call;
      const now = clock();
      const token = await signIn(signInSources, call, now);
      const caller = await findSessionCaller(sql, token, { now });
      // Ended between the two: the user was removed.
      if (caller === null)
        throw new Refusal('SIGN_IN_FAILED', 'The user or the token has just been removed.');
      // What the browser held before is never taken over, and opens nothing any more.
      if (browser.sessionToken !== null) await endSession(sql, browser.sessionToken);
      browser.hold(token);
      log.info({ operation: 'createSession', ...inLog(caller), from: browser.address }, 'signed in');
      return toSession(caller);
    },
    getSession: async ({ caller }) => toSession(caller),
    async deleteSession({ caller, browser }) {
      sessionOf(caller);
      await endSession(sql, browser.sessionToken ?? '');
      browser.hold(null);
    },
    async changeOwnPassword({ caller, browser, body }) {
      const { hash } = sessionOf(caller);
      if (caller.kind !== 'user') {
        throw new Refusal(
          'SESSION_INVALID',
          'The session was opened with an admin token, which has no password.',
        );
      }
      const now = clock();
      const { id: userId } = caller;
      const password = String(body.currentPassword);
      await checkOwnPassword(signInSources, { userId, password, address: browser.address, now });
      await updateUser(sql, userId, { password: String(body.password) }, { passwords, keptSession: hash });
    },
  };
}

function signIn(sources: SignInSources, { body, browser }: ManagementCall, now: number): Promise<string> {
  const [name, password, token] = [body.userName, body.password, body.token].map(textOf);
  const { address } = browser;
  if (token === undefined && name !== undefined && password !== undefined) {
    return signInUser(sources, { name, password, address, now });
  }
  if (token !== undefined && name === undefined && password === undefined) {
    return signInToken(sources, { token, address, now });
  }
  throw new Refusal('INPUT_INVALID', 'the body must have userName and password, or token');
}

function toSession(caller: Caller) {
  const { csrfToken, expiresAt } = sessionOf(caller);
  const { kind, id, name, scope, botIds } = caller;
  const [botId = null, ...more] = botIds ?? [];
  return {
    user: { kind, id, name, scope, botId: more.length === 0 ? botId : null },
    csrfToken,
    expiresAt: isoOf(expiresAt),
  };
}

function sessionOf({ session }: Caller): Session {
  if (session === null) throw new Refusal('SESSION_INVALID', 'The call shows a token, no session.');
  return session;
}
