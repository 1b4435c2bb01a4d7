/**
 * The next step of a webhook message after an attempt, as pure code.
 *
 *     2xx                     delivered (state `told`)
 *     410                     given up, and the address is disabled
 *     429, 503, Retry-After   retried; the bot's messages wait until the receiver's pause is over
 *     any other answer        retried after a pause of the schedule; given up after the last one or after three days
 */
import type { Random } from '../random.ts';
import { dayMs, hourMs, minuteMs, secondMs } from '../time.ts';

/** The result of an attempt. `status` null: no answer; `problem`: why it failed, null: it succeeded. */
export type Answer = {
  status: number | null;
  problem: string | null;
  /** The beginning of the body; null: empty. */
  excerpt: string | null;
  /** The header `Retry-After`; null: absent. */
  retryAfter: string | null;
  ms: number;
};

export type Verdict =
  | { kind: 'told' }
  /** ms; `pausedUntil`: the bot's messages wait until then, null: the receiver requested no pause. */
  | { kind: 'again'; dueAt: number; pausedUntil: number | null }
  | { kind: 'given-up'; isGone: boolean };

/** The health of a receiver: `new` before the first answer, `good` after a quick success, else `poor`. */
export type Health = 'new' | 'good' | 'poor';

/** A slower answer blocks a slot for too long. */
const quickMsMax = 2_000;

/** The receiver's health after the answer. */
export function healthAfter({ problem, ms }: Answer): Health {
  return problem === null && ms <= quickMsMax ? 'good' : 'poor';
}

/** Pauses after the first, second, … failed attempt: 71 h 42 min in all. */
export const pausesMs = [
  5 * secondMs,
  30 * secondMs,
  2 * minuteMs,
  10 * minuteMs,
  30 * minuteMs,
  hourMs,
  2 * hourMs,
  4 * hourMs,
  8 * hourMs,
  12 * hourMs,
  20 * hourMs,
  24 * hourMs,
] as const;
export const triedMsMax = 3 * dayMs;
/** Shortens a pause by up to this fraction, so that messages that failed together are not retried together. */
const jitter = 0.15;
const retryAfterMsMax = dayMs;
const gone = 410;
const pausing = [429, 503];

/** `attempts` counts this one; `since` (ms) is when the first was due. */
export function judge(
  answer: Answer,
  { attempts, since, now }: { attempts: number; since: number; now: number },
  random: Random,
): Verdict {
  if (answer.problem === null) return { kind: 'told' };
  if (answer.status === gone) return { kind: 'given-up', isGone: true };
  const pauseMs = pausesMs[attempts - 1];
  if (pauseMs === undefined || now - since >= triedMsMax) return { kind: 'given-up', isGone: false };
  const pausedUntil = requestedPause(answer, now);
  const dueAt = now + Math.round(pauseMs * (1 - jitter * fraction(random)));
  return { kind: 'again', dueAt: Math.max(dueAt, pausedUntil ?? 0), pausedUntil };
}

function requestedPause({ status, retryAfter }: Answer, now: number): number | null {
  if (status === null || !pausing.includes(status)) return null;
  const pauseMs = pauseOfHeader(retryAfter, now);
  return pauseMs === null ? null : now + pauseMs;
}

/** The pause (ms) that the header `Retry-After` asks for, in seconds or as a date, at most a day; null: none. */
export function pauseOfHeader(retryAfter: string | null, now: number): number | null {
  if (retryAfter === null) return null;
  const until = /^\d{1,9}$/.test(retryAfter) ? now + Number(retryAfter) * secondMs : Date.parse(retryAfter);
  return until > now ? Math.min(until - now, retryAfterMsMax) : null;
}

/** From 0 to 1. */
function fraction(random: Random): number {
  return Buffer.from(random(4)).readUInt32BE() / 2 ** 32;
}
