/**
 * Who is signed in. The session itself is a cookie that no script can read; this is what the API tells of it.
 *
 *     unknown → asked → signed in ⇄ signed out (sign-in page, and back to where the reader was)
 */
import { signal } from '@preact/signals';
import { ApiError, call, onSignedOut, onStaleToken, setCsrfToken } from '../api/client.ts';
import { forgetAnswers } from '../api/live.ts';
import { t } from '../texts/frame.ts';

export type Scope = 'read' | 'write' | 'admin';
/** A user, or an admin token. */
export type Account = { kind: 'user' | 'token'; id: string; name: string };
export type SignedIn = {
  user: Account & { scope: Scope; botId: string | null };
  csrfToken: string;
  expiresAt: string;
};
export type Credentials = { userName: string; password: string } | { token: string };

type State =
  | { kind: 'unknown' }
  | { kind: 'unreachable'; error: ApiError }
  | { kind: 'signed-in'; session: SignedIn }
  | { kind: 'signed-out'; hasExpired: boolean };

export const session = signal<State>({ kind: 'unknown' });

const scopes: readonly Scope[] = ['read', 'write', 'admin'];

/** True when whoever is signed in may do what needs the scope. */
export function may(scope: Scope): boolean {
  const state = session.value;
  return state.kind === 'signed-in' && scopes.indexOf(state.session.user.scope) >= scopes.indexOf(scope);
}

/** An admin token may have no name. */
export function accountName({ name, id }: Pick<Account, 'id' | 'name'>): string {
  return name || t('namelessToken', { id });
}

/** Reads the account of an admin token, without signing in. Throws ApiError. */
export async function findTokenAccount(token: string): Promise<Account> {
  // Another text cannot be sent as a header.
  if (!/^[\w-]{1,200}$/.test(token)) {
    throw new ApiError(401, { code: 'TOKEN_INVALID', detail: 'The text is not an admin token.' });
  }
  const headers = { authorization: `Bearer ${token}` };
  const { tokenId, name } = await call<{ tokenId: string; name: string }>('/admin-tokens/own', { headers });
  return { kind: 'token', id: tokenId, name };
}

/** Asks whether there is a session. */
export async function findSession(): Promise<void> {
  try {
    enter(await call<SignedIn>('/session'));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) leave({ hasExpired: false });
    else session.value = { kind: 'unreachable', error };
  }
}

/** Throws ApiError: SIGN_IN_FAILED, RATE_LIMITED, or what else the API tells. */
export async function signIn(credentials: Credentials): Promise<void> {
  // Answers that an earlier account was given.
  forgetAnswers();
  enter(await call<SignedIn>('/session', { method: 'POST', body: credentials }));
}

/** Ends the session here and at the server. Throws ApiError when the server could not be told: then it goes on. */
export async function signOut(): Promise<void> {
  await call('/session', { method: 'DELETE' });
  leave({ hasExpired: false });
}

function enter(answer: SignedIn): void {
  setCsrfToken(answer.csrfToken);
  session.value = { kind: 'signed-in', session: answer };
}

function leave({ hasExpired }: { hasExpired: boolean }): void {
  setCsrfToken(null);
  forgetAnswers();
  session.value = { kind: 'signed-out', hasExpired };
}

onStaleToken(findSession);
onSignedOut(() => {
  if (session.value.kind === 'signed-in') leave({ hasExpired: true });
});
