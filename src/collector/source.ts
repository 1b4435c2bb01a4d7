/**
 * A source of a platform's own figures: the part of the collector that knows the platform. The collector stores which questions are
 * open and how many calls are left; the source decides what to ask next, makes the calls and stores the answers.
 */
import type { Fragment, Queryable, Transaction } from '../database/client.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { CallLimit } from './call-limit.ts';

/** One kind of figures of a bot. Names of kinds are unique across all platforms. */
export type CollectionKey<Kind extends string = string> = { botId: string; kind: Kind };

/** The result of the platform's answer. `withheld`: too few people for privacy; `unknown`: it does not know the subject. */
export type Outcome = 'ready' | 'unready' | 'out-of-service' | 'withheld' | 'unknown';

/** One question to the platform. Times in ms. */
export type Question = {
  subject: string;
  /** Null: the answer is final. */
  askAt: number | null;
  /** The time from which the answer is final; null: never. */
  settledAt: number | null;
  outcome: Outcome | null;
  /** Consecutive failures. */
  failures: number;
};

export type OpenQuestion = Question & { askAt: number };

/** The schedule state of one kind of figures of a bot. */
export type ScheduleState<Kind extends string = string> = {
  kind: Kind;
  /** The first requested day; null: as far back as the platform has figures. */
  fromDay: string | null;
  /** The first day with a question. Every span of days from it to `latestDay` has one. */
  earliest: { day: string; outcome: Outcome | null } | null;
  latestDay: string | null;
  openQuestions: readonly OpenQuestion[];
  pausedUntil: number | null;
  failures: number;
  /** The time at which the token bucket of calls is full again; null: it is full. */
  fullAt: number | null;
};

/** The next step: a question to ask, or the time of the next check. `opened` are new questions, possibly including `ask`. */
export type Plan =
  | { ask: OpenQuestion; opened: OpenQuestion[]; fullAt: number }
  | { ask: null; state: 'resting' | 'out-of-calls' | null; checkAt: number };

/** The reason for a call without an answer. */
export type Failure =
  | 'token-refused'
  | 'unavailable'
  | 'limited'
  | 'unreachable'
  | 'nonsense'
  // The access token cannot be decrypted.
  | 'sealed';

/** `extraCalls`: calls beyond the first; `pauseMs`: the pause that the platform asks for, 0: none. */
type Usage = { extraCalls: number; pauseMs: number };
export type FailedCall = { failure: Failure; problem: string; usage?: Usage };
export type Result = { outcome: Outcome } | { failure: Failure };

/** The changes after a result. */
export type Transition = {
  question: Question;
  pausedUntil: number | null;
  failures: number;
  fullAt: number;
};

export type CallState<Kind extends string = string> = Pick<ScheduleState<Kind>, 'kind' | 'failures'> & {
  question: OpenQuestion;
  /** After the call. */
  fullAt: number;
};
/** `chance` from 0 to 1 spreads calls that would otherwise coincide. */
export type CallTime = { now: number; chance: number; limit: CallLimit };

/** An answer of the platform. `entry`: the text to store, compared with the stored one; null: nothing to store. */
export type Answer = { outcome: Outcome; entry: string | null; usage?: Usage };

export type Source<Kind extends string = string, Answered extends Answer = Answer> = {
  /** The platform's name for people. */
  name: string;
  kinds: readonly { kind: Kind; platform: PlatformName }[];
  /** True for kinds with a question for every day. */
  isByDay(kind: Kind): boolean;
  /** For queries: the channels to collect from, `channel`, each with its `token.token_id`. */
  collectable(sql: Queryable): Fragment;
  plan(state: ScheduleState<Kind>, time: { now: number; limit: CallLimit }): Plan;
  /** The changes after a call. */
  transition(state: CallState<Kind>, result: Result, time: CallTime): Transition;
  /** Stores questions that are new since the last check at `seenAt` (ms; null: never). Idempotent. */
  addQuestions(
    tx: Transaction,
    key: CollectionKey<Kind>,
    time: { seenAt: number | null; now: number },
  ): Promise<void>;
  /** Asks the platform. Throws Stopped. */
  ask(tx: Transaction, question: CollectionKey<Kind> & { subject: string }): Promise<Answered | FailedCall>;
  /** Stores what else an answer holds, such as the account's id. Returns a problem with the channel's settings; null: none. */
  checkAnswer(tx: Transaction, key: CollectionKey<Kind>, answer: Answered): Promise<string | null>;
  /** Stores an entry that differs from the last one, in the transaction that updates its question. */
  store(
    tx: Transaction,
    question: CollectionKey<Kind> & { subject: string },
    entry: string,
    now: number,
  ): Promise<void>;
  /** Cancels running calls. Idempotent. */
  close(): Promise<void>;
};

/** The source was closed during a call. */
export class Stopped extends Error {}
