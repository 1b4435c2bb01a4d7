/**
 * A limit of calls a minute (or another period) for each bot: a bucket that holds a period's calls, is full at first and
 * fills evenly. A bot may use the whole bucket in one burst.
 *
 * Kept in the memory of the process, so with several web processes behind one address a bot has as many buckets.
 */
import { LRUCache } from 'lru-cache';
import { minuteMs, secondMs } from '../time.ts';

export type Allowance = {
  /** Calls a period. */
  limit: number;
  /** Calls that could follow at once. */
  remaining: number;
  /** Seconds until the bucket is full again. */
  resetSeconds: number;
  /** Null: this call may be made. Else the seconds after which one may be. */
  retryAfterSeconds: number | null;
};

/** How it stands, for every answer that was counted. */
export function limitHeaders({ limit, remaining, resetSeconds, retryAfterSeconds }: Allowance) {
  return {
    'ratelimit-limit': limit,
    'ratelimit-remaining': remaining,
    'ratelimit-reset': resetSeconds,
    ...(retryAfterSeconds === null ? {} : { 'retry-after': retryAfterSeconds }),
  };
}

/** A call costs a period's milliseconds, and each millisecond adds the limit: so all are whole numbers. */
type Bucket = { credit: number; filledAt: number };

/** Beyond that the bots that called longest ago begin anew with a full bucket. */
const bucketsMax = 10_000;

export class RateLimit {
  readonly #limit: number;
  readonly #callCost: number;
  readonly #buckets = new LRUCache<string, Bucket>({ max: bucketsMax });

  /** `limit` calls a period, at least 1. */
  constructor(limit: number, periodMs = minuteMs) {
    this.#limit = limit;
    this.#callCost = periodMs;
  }

  /** Counts one call of the bot at `now` (ms); a call that may not be made costs nothing. */
  take(botId: string, now: number): Allowance {
    const bucket = this.#filled(botId, now);
    const isAllowed = bucket.credit >= this.#callCost;
    if (isAllowed) bucket.credit -= this.#callCost;
    return {
      limit: this.#limit,
      remaining: Math.floor(bucket.credit / this.#callCost),
      resetSeconds: this.#secondsUntil(this.#limit, bucket),
      retryAfterSeconds: isAllowed ? null : this.#secondsUntil(1, bucket),
    };
  }

  /** Takes back a call that was counted for the wrong caller. */
  giveBack(botId: string, now: number): void {
    const bucket = this.#filled(botId, now);
    bucket.credit = Math.min(this.#limit * this.#callCost, bucket.credit + this.#callCost);
  }

  #filled(botId: string, now: number): Bucket {
    let bucket = this.#buckets.get(botId);
    if (!bucket) {
      bucket = { credit: this.#limit * this.#callCost, filledAt: now };
      this.#buckets.set(botId, bucket);
    }
    // A clock that was set back fills nothing.
    const passedMs = Math.max(0, now - bucket.filledAt);
    bucket.credit = Math.min(this.#limit * this.#callCost, bucket.credit + passedMs * this.#limit);
    bucket.filledAt = now;
    return bucket;
  }

  #secondsUntil(calls: number, bucket: Bucket): number {
    return Math.ceil((calls * this.#callCost - bucket.credit) / (this.#limit * secondMs));
  }
}
