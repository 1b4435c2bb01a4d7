/**
 * The parts of a schedule that all platforms share, as pure functions: the choice among due questions within the rate limit, and the
 * pauses after failures. A platform's own schedule decides which questions are open and when to ask them again.
 */
import { dayMs, hourMs, minuteMs, secondMs } from '../time.ts';
import { afterCall, type CallLimit, callableAt, emptied } from './call-limit.ts';
import type {
  CallState,
  CallTime,
  Failure,
  OpenQuestion,
  Plan,
  ScheduleState,
  Transition,
} from './source.ts';

const unavailablePauseMs = 7 * dayMs;
const failurePauseMs = 5 * secondMs;
const failurePauseMsMax = 15 * minuteMs;
const exponentMax = 20;

/**
 * Returns the question to ask at `now`, with its call already counted, or the time of the next check. `open` returns new questions;
 * `isBefore` orders due questions.
 */
export function planOf<Kind extends string>(
  state: ScheduleState<Kind>,
  { now, limit }: { now: number; limit: CallLimit },
  {
    open,
    isBefore,
    nextCheck,
  }: {
    open: () => OpenQuestion[];
    isBefore: (question: OpenQuestion, other: OpenQuestion) => boolean;
    nextCheck: () => number;
  },
): Plan {
  const { pausedUntil, fullAt } = state;
  if (pausedUntil !== null && pausedUntil > now) return { ask: null, state: null, checkAt: pausedUntil };
  const opened = open();
  const due = [...state.openQuestions, ...opened].filter(({ askAt }) => askAt <= now);
  const ask = due.reduce<OpenQuestion | null>(
    (first, question) => (first === null || isBefore(question, first) ? question : first),
    null,
  );
  if (ask === null) return { ask: null, state: 'resting', checkAt: nextCheck() };
  const callAt = callableAt(fullAt, limit);
  if (callAt > now) return { ask: null, state: 'out-of-calls', checkAt: callAt };
  return { ask, opened, fullAt: afterCall(fullAt, now, limit) };
}

/** The changes after a failed call: growing pauses, for the kind and for the single question. */
export function afterFailure(
  { question, fullAt, failures: earlierFailures }: CallState,
  failure: Failure,
  { now, chance, limit }: CallTime,
): Transition {
  const failures = earlierFailures + 1;
  const pauseMs = (unitMs: number, maxMs: number, count: number) =>
    Math.min(maxMs, unitMs * 2 ** Math.min(count - 1, exponentMax)) * (0.75 + chance / 2);
  const paused = (ms: number, changes: Partial<Transition> = {}): Transition => ({
    ...{ question, pausedUntil: Math.ceil(now + ms), failures, fullAt },
    ...changes,
  });
  const pausedWithQuestion = (questionMsMax: number) => {
    const questionMs = pauseMs(minuteMs, questionMsMax, question.failures + 1);
    return paused(pauseMs(failurePauseMs, failurePauseMsMax, failures), {
      question: { ...question, failures: question.failures + 1, askAt: Math.ceil(now + questionMs) },
    });
  };
  switch (failure) {
    case 'token-refused':
      return { question, pausedUntil: null, failures, fullAt };
    case 'unavailable':
      return paused(unavailablePauseMs);
    case 'limited':
      // Other programs may use the same token, so the bucket counts as empty.
      return paused(pauseMs(limit.intervalMs, hourMs, failures), { fullAt: emptied(now, limit) });
    case 'sealed':
      return paused(hourMs);
    case 'unreachable':
      return pausedWithQuestion(hourMs);
    case 'nonsense':
      return pausedWithQuestion(7 * dayMs);
  }
}

/** A new question. Times in ms. */
export function newQuestion(subject: string, askAt: number, settledAt: number | null): OpenQuestion {
  return { subject, askAt, settledAt, outcome: null, failures: 0 };
}
