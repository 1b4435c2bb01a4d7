/**
 * What becomes of a notice after an attempt to tell it: pure.
 *
 *     2xx                     told
 *     410                     given up, and the address is disabled
 *     429, 503, Retry-After   again, and nothing for the bot before the receiver's pause is over
 *     anything else           again after a pause of the schedule; after the last one, or three days, given up
 */
import type { Random } from '../random.ts';
import { dayMs, hourMs, minuteMs, secondMs } from '../time.ts';

/** What came back. `status` null: no answer; `problem` says why it is no success, null: it is one. */
export type Answer = {
  status: number | null;
  problem: string | null;
  /** The beginning of the body; null: none. */
  excerpt: string | null;
  /** As it stands in `Retry-After`; null: absent. */
  retryAfter: string | null;
  ms: number;
};

export type Verdict =
  | { kind: 'told' }
  /** ms; `pausedUntil`: nothing may be sent for the bot before, null: no pause was asked for. */
  | { kind: 'again'; dueAt: number; pausedUntil: number | null }
  | { kind: 'given-up'; isGone: boolean };

/** How a receiver has proved itself: `new` has not been told anything yet, `good` answered with a quick success last. */
export type Standing = 'new' | 'good' | 'poor';

/** An answer that takes longer holds a sender's slot for too long. */
const quickMsMax = 2_000;

/** The receiver's standing after the answer. */
export function standingAfter({ problem, ms }: Answer): Standing {
  return problem === null && ms <= quickMsMax ? 'good' : 'poor';
}

/** Pauses after the first, second, … failed attempt: together 71 h 42 min. */
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
/** A pause is shortened by up to this part, so that what failed together does not come again together. */
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
  const pausedUntil = pauseAskedFor(answer, now);
  const dueAt = now + Math.round(pauseMs * (1 - jitter * fraction(random)));
  return { kind: 'again', dueAt: Math.max(dueAt, pausedUntil ?? 0), pausedUntil };
}

function pauseAskedFor({ status, retryAfter }: Answer, now: number): number | null {
  if (retryAfter === null || status === null || !pausing.includes(status)) return null;
  const until = /^\d{1,9}$/.test(retryAfter) ? now + Number(retryAfter) * secondMs : Date.parse(retryAfter);
  return until > now ? Math.min(until, now + retryAfterMsMax) : null;
}

/** From 0 to 1. */
function fraction(random: Random): number {
  return Buffer.from(random(4)).readUInt32BE() / 2 ** 32;
}
