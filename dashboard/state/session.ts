/**
 * The signed-in account. The session itself is a cookie that scripts cannot read.
 *
 *     unknown → loading → signed in ⇄ signed out (sign-in page, and back to the previous page)
 */
import { signal } from '@preact/signals';
import {
  ApiError,
  api,
  bodyOf,
  onSignedOut,
  onStaleToken,
  type Schema,
  setCsrfToken,
} from '../api/client.ts';
import { forgetAnswers } from '../api/live.ts';
import { t } from '../texts/frame.ts';

export type Scope = Schema['Scope'];
/** A user, or an admin token. */
export type Account = Pick<Schema['Session']['user'], 'kind' | 'id' | 'name'>;
export type Credentials = { userName: string; password: string } | { token: string };

type State =
  | { kind: 'unknown' }
  | { kind: 'unreachable'; error: ApiError }
  | { kind: 'signed-in'; session: Schema['Session'] }
  | { kind: 'signed-out'; hasExpired: boolean };

export const session = signal<State>({ kind: 'unknown' });

const scopes: readonly Scope[] = ['read', 'write', 'admin'];

/** True if the signed-in account has the scope. */
export function may(scope: Scope): boolean {
  const state = session.value;
  return state.kind === 'signed-in' && scopes.indexOf(state.session.user.scope) >= scopes.indexOf(scope);
}

/** True if the signed-in account may use all bots. */
export function isForAllBots(): boolean {
  const state = session.value;
  return state.kind === 'signed-in' && state.session.user.botIds === null;
}

/** The public address of the server, from its settings or from the address bar: for addresses that other systems call. */
export function publicOrigin(): string {
  const state = session.value;
  return (state.kind === 'signed-in' && state.session.publicUrl) || location.origin;
}

/** The name to show; an admin token may have none. */
export function accountName({ name, id }: Pick<Account, 'id' | 'name'>): string {
  return name || t('namelessToken', { id });
}

/** Reads the account of an admin token, without signing in. Throws ApiError. */
export async function findTokenAccount(token: string): Promise<Account> {
  // Other characters are not allowed in a header.
  if (!/^[\w-]{1,200}$/.test(token)) {
    throw new ApiError(401, { code: 'TOKEN_INVALID', detail: 'The text is not an admin token.' });
  }
  const headers = { authorization: `Bearer ${token}` };
  const { tokenId, name } = await bodyOf(api.GET('/api/v1/admin-tokens/own', { headers }));
  return { kind: 'token', id: tokenId, name };
}

/** Loads the session, if there is one. */
export async function findSession(): Promise<void> {
  try {
    enter(await bodyOf(api.GET('/api/v1/session')));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) leave({ hasExpired: false });
    else session.value = { kind: 'unreachable', error };
  }
}

/** Signs in. Throws ApiError: SIGN_IN_FAILED, RATE_LIMITED or another code. */
export async function signIn(credentials: Credentials): Promise<void> {
  // These answers belong to an earlier account.
  forgetAnswers();
  enter(await bodyOf(api.POST('/api/v1/session', { body: credentials })));
}

/** Creates the first user with the token of a setup link, and signs in. Throws ApiError: SETUP_LINK_INVALID, INPUT_INVALID, USER_EXISTS. */
export async function createFirstUser(user: Schema['FirstUser']): Promise<void> {
  forgetAnswers();
  enter(await bodyOf(api.POST('/api/v1/setup', { body: user })));
}

/** Creates the own user with the token of an invitation, and signs in. Throws ApiError: INVITATION_INVALID, INPUT_INVALID, USER_EXISTS. */
export async function acceptInvitation(user: Schema['FirstUser']): Promise<void> {
  forgetAnswers();
  enter(await bodyOf(api.POST('/api/v1/invitation', { body: user })));
}

/** Ends the session. Throws ApiError if the server did not end it; the session then continues. */
export async function signOut(): Promise<void> {
  await api.DELETE('/api/v1/session');
  leave({ hasExpired: false });
}

function enter(answer: Schema['Session']): void {
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
