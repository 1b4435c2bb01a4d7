/**
 * Who this browser is to the business: the token that the server signed, kept between pages, renewed with each session.
 *
 * A token is used for the identity it was made for, or given to a later one to be joined with it. After somebody has signed out
 * on the page, what they wrote is therefore not shown to whoever comes next.
 */
import type { Calls, Failure, Outcome } from './calls.ts';
import type { Kept, KeptVisitor } from './kept.ts';
import type { Session } from './protocol.ts';
import type { Identity } from './settings.ts';

export type Visitor = {
  /** True when the server knows this browser or the page says who it is: news may be waiting. */
  isExpected(): boolean;
  visitorId(): string | null;
  token(): string | null;
  /** Asks the server for a session. Calls at the same time share one. */
  start(): Promise<Outcome<Session>>;
  /** Runs a call with the token, after a session when there is none, and once more after a new one when it was refused. */
  withToken<Value>(run: (token: string) => Promise<Outcome<Value>>): Promise<Outcome<Value>>;
  /** Says who it is from now on (null: nobody in particular); a session must be started then. */
  identify(identity: Identity | null): void;
  /** Takes the visitor of another tab. */
  adopt(visitor: KeptVisitor): void;
};

export function createVisitor(parts: {
  calls: Calls;
  kept: Kept;
  identity: Identity | null;
  language: string;
  /** For one session at a time among the tabs of the browser. */
  lockName: string;
  /** A call turned out to need another session, and has it. */
  onSession(session: Session): void;
}): Visitor {
  const { calls, kept, language } = parts;
  let { identity } = parts;
  let current: KeptVisitor | null = null;
  let starting: Promise<Outcome<Session>> | null = null;

  const usable = (): KeptVisitor | null => {
    const held = kept.visitor.read();
    const isOurs = held?.identifierHash == null || held.identifierHash === identity?.identifierHash;
    return isOurs ? held : null;
  };
  const ask = async (): Promise<Outcome<Session>> => {
    const asked = identity;
    // Looked up within the lock: of two tabs that begin together, the second has the visitor of the first.
    const held = usable();
    let outcome = await calls.session(held?.visitorToken ?? null, asked, language);
    if (held && isTokenInvalid(outcome)) outcome = await calls.session(null, asked, language);
    if (outcome.ok && asked === identity) {
      const { visitorToken, visitorId } = outcome.value;
      current = { visitorToken, visitorId, identifierHash: asked?.identifierHash ?? null };
      kept.visitor.write(current);
    }
    return outcome;
  };
  const start = (): Promise<Outcome<Session>> => {
    starting ??= alone(parts.lockName, ask).finally(() => {
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
    isExpected: () => identity !== null || usable() !== null,
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

/** One at a time among tabs, where the browser can do that: on secure pages, and not in a sandboxed frame. */
function alone<Value>(name: string, run: () => Promise<Value>): Promise<Value> {
  return navigator.locks ? navigator.locks.request(name, run).catch(() => run()) : run();
}
