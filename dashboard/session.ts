/**
 * Who is signed in. The session itself is a cookie that no script can read; this is what the API tells of it.
 *
 *     unknown → asked → signed in ⇄ signed out (sign-in page, and back to where the reader was)
 */
import { signal } from '@preact/signals';
import { ApiError, call, onSignedOut, onStaleToken, setCsrfToken } from './api.ts';
import { forgetAnswers } from './live.ts';

export type Scope = 'read' | 'write' | 'admin';
export type SignedIn = {
  user: { name: string; scope: Scope; botId: string | null };
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
