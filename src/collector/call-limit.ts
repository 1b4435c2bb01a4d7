/**
 * LINE's rate limit, as pure code: 60 calls per hour for each Insight endpoint and channel, as a token bucket (Messaging API
 * reference, "Rate limits"). LINE does not document the size of its bucket. Ours holds a sixth of the hour's calls and refills at
 * the rate of the others, so no hour has more calls than the limit.
 *
 * A bucket is stored as the time at which it will be full. Each call moves that time by the refill interval of one call. Worked
 * example, 60 per hour: 10 calls at once, then one every 72 s; 10 + 3600 s ÷ 72 s = 60.
 */
import { hourMs } from '../time.ts';

export type CallLimit = {
  /** Calls in a full bucket. */
  burst: number;
  /** The time in which one call is refilled. */
  intervalMs: number;
};

const burstShare = 1 / 6;

/** At most `callsPerHour` calls in any hour; at least 6. */
export function callLimit(callsPerHour: number): CallLimit {
  const burst = Math.floor(callsPerHour * burstShare);
  return { burst, intervalMs: Math.ceil(hourMs / (callsPerHour - burst)) };
}

/** Returns the earliest time (ms) of the next call. `fullAt` null: the bucket was never used. */
export function callableAt(fullAt: number | null, { burst, intervalMs }: CallLimit): number {
  return fullAt === null ? 0 : fullAt - (burst - 1) * intervalMs;
}

/** The bucket after a call at `now` (ms). Setting the clock back does not refill it. */
export function afterCall(fullAt: number | null, now: number, { intervalMs }: CallLimit): number {
  return Math.max(fullAt ?? now, now) + intervalMs;
}

/** An empty bucket, because LINE's own is empty. */
export function emptied(now: number, { burst, intervalMs }: CallLimit): number {
  return now + burst * intervalMs;
}

/** The time (ms) from `now` that the calls take at least. */
export function durationOf(
  calls: number,
  { fullAt, now, limit }: { fullAt: number | null; now: number; limit: CallLimit },
): number {
  const { burst, intervalMs } = limit;
  return calls === 0 ? 0 : Math.max(0, Math.max(fullAt ?? now, now) + (calls - burst) * intervalMs - now);
}
