/**
 * LINE's limit of calls, as pure code: 60 an hour for each Insight endpoint and channel, a token bucket (Messaging API
 * reference, "Rate limits"). LINE does not tell how large its bucket is, so ours holds a sixth of the hour's calls and fills
 * with the rest: then no hour, wherever it begins, has more than the limit.
 *
 * A bucket is one instant, when it would be full again: each call moves it on by the time in which one call comes back.
 * Worked example, 60 an hour: 10 calls at once, then one every 72 s; 10 + 3600 s ÷ 72 s = 60.
 */
import { hourMs } from '../../time.ts';

export type CallLimit = {
  /** Calls that may be made at once. */
  burst: number;
  /** After which one call more may be made. */
  intervalMs: number;
};

const burstShare = 1 / 6;

/** At most so many calls in any hour; at least 6. */
export function callLimit(callsPerHour: number): CallLimit {
  const burst = Math.floor(callsPerHour * burstShare);
  return { burst, intervalMs: Math.ceil(hourMs / (callsPerHour - burst)) };
}

/** When the next call may be made (ms), if the bucket is full again at `fullAt`; null: it never was used. */
export function callableAt(fullAt: number | null, { burst, intervalMs }: CallLimit): number {
  return fullAt === null ? 0 : fullAt - (burst - 1) * intervalMs;
}

/** The bucket after a call at `now` (ms). A clock that was set back gives no calls back. */
export function afterCall(fullAt: number | null, now: number, { intervalMs }: CallLimit): number {
  return Math.max(fullAt ?? now, now) + intervalMs;
}

/** An empty bucket: LINE says that its own is. */
export function emptied(now: number, { burst, intervalMs }: CallLimit): number {
  return now + burst * intervalMs;
}

/** After how long (ms) so many calls can have been made from `now` on. */
export function durationOf(
  calls: number,
  { fullAt, now, limit }: { fullAt: number | null; now: number; limit: CallLimit },
): number {
  const { burst, intervalMs } = limit;
  return calls === 0 ? 0 : Math.max(0, Math.max(fullAt ?? now, now) + (calls - burst) * intervalMs - now);
}
