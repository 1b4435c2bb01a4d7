/**
 * Operations on the browser's session: signing in and out, and the user's own password. Only these answers set a cookie.
 */
import { type Caller, logFields, type Session } from '../../auth/caller.ts';
import { acceptInvitation } from '../../auth/invitations.ts';
import {
  endSession,
  endSessionOf,
  endSessionsOf,
  findSessionCaller,
  listSessionsOf,
} from '../../auth/sessions.ts';
import { useSetupLink } from '../../auth/setup-links.ts';
import { checkOwnPassword, type SignInSources, signInToken, signInUser } from '../../auth/sign-in.ts';
import { updateUser } from '../../auth/users.ts';
import { Refusal } from '../../errors.ts';
import { isoOf, withIsoDates } from '../iso.ts';
import type { Body, Browser, Operations, Sources } from './operation.ts';
import { toUser } from './users.ts';

export function sessionOperations({ sql, keys, clock, random, passwords, log, publicUrl }: Sources) {
  const { attemptKey } = keys.current;
  const signInSources: SignInSources = { sql, passwords, attemptKey, random, log };
  /** Gives the session of the token to the browser. */
  const begin = async (
    operation: string,
    token: string,
    { browser, now }: { browser: Browser; now: number },
  ) => {
    const caller = await findSessionCaller(sql, token, { now });
    // The user may have been removed between the two reads.
    if (caller === null) throw new Refusal('SIGN_IN_FAILED', 'The user or the token has just been removed.');
    // An earlier session of the browser ends, so that nothing of it is taken over.
    if (browser.sessionToken !== null) await endSession(sql, browser.sessionToken);
    browser.hold(token);
    log.info({ operation, ...logFields(caller), from: browser.address }, 'signed in');
    return toSession(caller, publicUrl);
  };
  return {
    createSession: {
      isOpen: true,
      async answer({ body, browser }) {
        const now = clock();
        const token = await signIn(signInSources, body, {
          address: browser.address,
          browser: browser.userAgent,
          now,
        });
        return begin('createSession', token, { browser, now });
      },
    },
    createFirstUser: {
      isOpen: true,
      async answer({ body: { token, userName: name, password }, browser }) {
        const now = clock();
        const { address, userAgent } = browser;
        const use = { token, name, password, address, browser: userAgent, now };
        const session = await useSetupLink(signInSources, use);
        return begin('createFirstUser', session, { browser, now });
      },
    },
    acceptInvitation: {
      isOpen: true,
      async answer({ body: { token, userName: name, password }, browser }) {
        const now = clock();
        const use = { token, name, password, address: browser.address, browser: browser.userAgent, now };
        const session = await acceptInvitation(signInSources, use);
        return begin('acceptInvitation', session, { browser, now });
      },
    },
    getSession: { isSecret: true, answer: async ({ caller }) => toSession(caller, publicUrl) },
    async deleteSession({ caller, browser }) {
      sessionOf(caller);
      await endSession(sql, browser.sessionToken ?? '');
      browser.hold(null);
    },
    async listOwnSessions({ caller }) {
      const { hash: current, userId } = userSessionOf(caller);
      const sessions = await listSessionsOf(sql, userId, { current, now: clock() });
      return { sessions: sessions.map(withIsoDates) };
    },
    async endOwnSession({ caller, params: { sessionId } }) {
      const { userId } = userSessionOf(caller);
      const isEnded = await sql.begin((tx) => endSessionOf(tx, userId, sessionId));
      if (!isEnded) throw new Refusal('SESSION_NOT_FOUND', 'You have no such session.');
    },
    async endOtherSessions({ caller }) {
      const { hash, userId } = userSessionOf(caller);
      await sql.begin((tx) => endSessionsOf(tx, userId, hash));
    },
    async updateOwnAccount({ caller, browser: { address }, body: { name, currentPassword } }) {
      const { hash, userId } = userSessionOf(caller);
      await checkOwnPassword(signInSources, { userId, password: currentPassword, address, now: clock() });
      return toUser(await updateUser(sql, userId, { name }, { passwords, keptSession: hash }));
    },
    async changeOwnPassword({ caller, browser: { address }, body }) {
      const { hash, userId } = userSessionOf(caller);
      const { currentPassword, password } = body;
      await checkOwnPassword(signInSources, { userId, password: currentPassword, address, now: clock() });
      await updateUser(sql, userId, { password }, { passwords, keptSession: hash });
    },
  } satisfies Partial<Operations>;
}

function signIn(
  sources: SignInSources,
  { userName: name, password, token }: Body<'createSession'>,
  at: { address: string; browser: string | null; now: number },
): Promise<string> {
  if (token === undefined && name !== undefined && password !== undefined) {
    return signInUser(sources, { name, password, ...at });
  }
  if (token !== undefined && name === undefined && password === undefined) {
    return signInToken(sources, { token, ...at });
  }
  throw new Refusal('INPUT_INVALID', 'the body must have userName and password, or token');
}

function toSession(caller: Caller, publicUrl: string | null) {
  const { csrfToken, expiresAt } = sessionOf(caller);
  const { kind, id, name, scope, botIds } = caller;
  return {
    user: { kind, id, name, scope, botIds: botIds && [...botIds] },
    csrfToken,
    expiresAt: isoOf(expiresAt),
    publicUrl,
  };
}

/** The session of a user. */
function userSessionOf(caller: Caller): { hash: Buffer; userId: string } {
  const { hash } = sessionOf(caller);
  if (caller.kind === 'user') return { hash, userId: caller.id };
  throw new Refusal('SESSION_INVALID', 'The session was opened with an admin token, which has no password.');
}

function sessionOf({ session }: Caller): Session {
  if (session === null) throw new Refusal('SESSION_INVALID', 'The call shows a token, no session.');
  return session;
}
