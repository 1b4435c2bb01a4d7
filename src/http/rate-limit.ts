/**
 * A limit of calls a minute (or another period) for each bot: a bucket with the calls of one period. It is full at first and fills
 * evenly. A bot may use the whole bucket in one burst.
 *
 * Buckets are in the memory of the process. With several web processes behind one address, a bot has one bucket in each.
 */
import { boundedCache } from '../bounded-cache.ts';
import { minuteMs, secondMs } from '../time.ts';

export type Allowance = {
  /** Calls a period. */
  limit: number;
  /** Calls that may follow immediately. */
  remaining: number;
  /** Seconds until the bucket is full again. */
  resetSeconds: number;
  /** The seconds until a call is allowed; null: this one is. */
  retryAfterSeconds: number | null;
};

/** The headers of every counted answer. */
export function limitHeaders({ limit, remaining, resetSeconds, retryAfterSeconds }: Allowance) {
  return {
    'ratelimit-limit': limit,
    'ratelimit-remaining': remaining,
    'ratelimit-reset': resetSeconds,
    ...(retryAfterSeconds === null ? {} : { 'retry-after': retryAfterSeconds }),
  };
}

/** A call costs a period's milliseconds, and each millisecond adds the limit, so all values are integers. */
type Bucket = { credit: number; filledAt: number };

/** Beyond this number, the bots with the oldest calls get a full bucket again. */
const bucketsMax = 10_000;

export class RateLimit {
  readonly #limit: number;
  readonly #callCost: number;
  readonly #buckets = boundedCache<string, Bucket>(bucketsMax);

  /** `limit` calls a period, at least 1. */
  constructor(limit: number, periodMs = minuteMs) {
    this.#limit = limit;
    this.#callCost = periodMs;
  }

  /** Counts one call of the bot at `now` (ms). A refused call costs nothing. */
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

  /** Returns a call that was counted for the wrong caller. */
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
