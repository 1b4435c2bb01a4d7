/**
 * The caller of the management API: an admin token, or a user with a session. A session opened with an admin token calls as that
 * token.
 */
import type { AdminCaller, AdminScope } from './admin-tokens.ts';

export type Caller = {
  kind: 'token' | 'user';
  /** Of the token or the user; rate limits count by it. */
  id: string;
  /** Of a token it may be ''. */
  name: string;
  scope: AdminScope;
  /** Null: all bots. */
  botIds: readonly string[] | null;
  /** Null: the call has the token itself. */
  session: Session | null;
};

/** A browser's session. */
export type Session = {
  /** SHA-256 of the cookie's token: the key of the session's row. */
  hash: Buffer;
  /** Sent with every change, so that other pages cannot make changes in the user's name. */
  csrfToken: string;
  /** ms; the end of the session without further calls. */
  expiresAt: number;
};

/** A caller by a session. */
export type SessionCaller = Caller & { session: Session };

export function toTokenCaller({ tokenId, name, scope, botIds }: AdminCaller): Caller {
  return { kind: 'token', id: tokenId, name, scope, botIds, session: null };
}

/** The caller for log lines. */
export function logFields({ kind, id }: Caller): { tokenId: string } | { userId: string } {
  return kind === 'token' ? { tokenId: id } : { userId: id };
}
