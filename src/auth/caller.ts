/**
 * Who calls the management API: an admin token, or a user whose browser has a session. A session that was opened with an admin
 * token calls as that token.
 */
import type { AdminCaller, AdminScope } from './admin-tokens.ts';

export type Caller = {
  kind: 'token' | 'user';
  /** Of the token or the user; calls are counted by it. */
  id: string;
  /** As people know it; of a token maybe ''. */
  name: string;
  scope: AdminScope;
  /** Null: all bots. */
  botIds: readonly string[] | null;
  /** Null: the call shows the token itself. */
  session: Session | null;
};

/** A browser's session, as far as the browser knows of it. */
export type Session = {
  /** SHA-256 of what the cookie holds: what the session is kept under. */
  hash: Buffer;
  /** To be sent with every change, so that no other page can make one in the user's name. */
  csrfToken: string;
  /** ms; when the session ends if nothing is called until then. */
  expiresAt: number;
};

/** A caller by a session. */
export type SessionCaller = Caller & { session: Session };

export function toTokenCaller({ tokenId, name, scope, botIds }: AdminCaller): Caller {
  return { kind: 'token', id: tokenId, name, scope, botIds, session: null };
}

/** The caller as log lines name it. */
export function inLog({ kind, id }: Caller): { tokenId: string } | { userId: string } {
  return kind === 'token' ? { tokenId: id } : { userId: id };
}
