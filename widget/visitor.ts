/**
 * The visitor of this browser: a token signed by the server, stored between pages, renewed with each session.
 *
 * A token is used only for its own identity, or merged into a later one. After a sign-out on the page, the next visitor therefore
 * does not see the messages.
 */
import type { Calls, Failure, Outcome } from './calls.ts';
import type { Session } from './protocol.ts';
import type { Identity } from './settings.ts';
import type { StoredVisitor, WidgetStorage } from './storage.ts';

export type Visitor = {
  /** True if the browser has a token or the page an identity, so that messages may be waiting. */
  isKnown(): boolean;
  visitorId(): string | null;
  token(): string | null;
  /** Requests a session. Concurrent calls share one. */
  start(): Promise<Outcome<Session>>;
  /** Runs a call with the token. Starts a session first if there is none, and after an invalid token starts one and retries. */
  withToken<Value>(run: (token: string) => Promise<Outcome<Value>>): Promise<Outcome<Value>>;
  /** Sets the identity (null: anonymous); the caller then starts a session. */
  identify(identity: Identity | null): void;
  /** Adopts the visitor of another tab. */
  adopt(visitor: StoredVisitor): void;
};

export function createVisitor(parts: {
  calls: Calls;
  storage: WidgetStorage;
  identity: Identity | null;
  language: string;
  /** The lock for one session request at a time among the tabs. */
  lockName: string;
  /** Called after a call had to start another session. */
  onSession(session: Session): void;
}): Visitor {
  const { calls, storage, language } = parts;
  let { identity } = parts;
  let current: StoredVisitor | null = null;
  let starting: Promise<Outcome<Session>> | null = null;

  const storedVisitor = (): StoredVisitor | null => {
    const stored = storage.visitor.read();
    const isOurs = stored?.identifierHash == null || stored.identifierHash === identity?.identifierHash;
    return isOurs ? stored : null;
  };
  const requestSession = async (): Promise<Outcome<Session>> => {
    const requestedIdentity = identity;
    // Read within the lock: of two tabs that start together, the second uses the visitor of the first.
    const stored = storedVisitor();
    let outcome = await calls.session(stored?.visitorToken ?? null, requestedIdentity, language);
    if (stored && isTokenInvalid(outcome)) outcome = await calls.session(null, requestedIdentity, language);
    if (outcome.ok && requestedIdentity === identity) {
      const { visitorToken, visitorId } = outcome.value;
      current = { visitorToken, visitorId, identifierHash: requestedIdentity?.identifierHash ?? null };
      storage.visitor.write(current);
    }
    return outcome;
  };
  const start = (): Promise<Outcome<Session>> => {
    starting ??= withLock(parts.lockName, requestSession).finally(() => {
      starting = null;
    });
    return starting;
  };
  const renew = async (): Promise<Failure | null> => {
    const outcome = await start();
    if (!outcome.ok) return outcome;
    parts.onSession(outcome.value);
    return null;
  };
  return {
    isKnown: () => identity !== null || storedVisitor() !== null,
    visitorId: () => current?.visitorId ?? null,
    token: () => current?.visitorToken ?? null,
    start,
    async withToken(run) {
      const failure = current === null ? await renew() : null;
      if (failure) return failure;
      const outcome = await run(current?.visitorToken ?? '');
      if (!isTokenInvalid(outcome)) return outcome;
      return (await renew()) ?? run(current?.visitorToken ?? '');
    },
    identify(next) {
      identity = next;
      current = null;
      starting = null;
    },
    adopt(visitor) {
      current = visitor;
    },
  };
}

function isTokenInvalid(outcome: Outcome<unknown>): boolean {
  return !outcome.ok && outcome.status === 401 && outcome.code === 'TOKEN_INVALID';
}

/** Runs one at a time among tabs, if the browser supports locks: on https pages outside of sandboxed frames. */
function withLock<Value>(name: string, run: () => Promise<Value>): Promise<Value> {
  return navigator.locks ? navigator.locks.request(name, run).catch(() => run()) : run();
}
