/**
 * LINE's hourly rate limits: 60 calls for each of the listed operations, as a token bucket (reference, "Rate limits"). LINE's
 * limits per second are not simulated, because the simulator's clock may be stopped.
 */
import { hourMs } from '../../src/time.ts';

/** `METHOD path` of the limited operations; `{}` is one segment. */
const limitedCalls: readonly string[] = [
  'GET /v2/bot/insight/demographic',
  'GET /v2/bot/insight/followers',
  'GET /v2/bot/insight/message/delivery',
  'GET /v2/bot/insight/message/event',
  'GET /v2/bot/insight/message/event/aggregation',
  'GET /v2/bot/insight/richmenu/{}/daily',
  'GET /v2/bot/insight/richmenu/{}/summary',
  'POST /v2/bot/message/broadcast',
  'POST /v2/bot/message/narrowcast',
  'POST /v2/bot/channel/webhook/test',
];

export class RateLimits {
  /** Calls per hour; null: no limit. */
  perHour: number | null;
  readonly #buckets = new Map<string, { calls: number; filledAt: number }>();

  constructor(perHour: number | null) {
    this.perHour = perHour;
  }

  /** Takes a token for a call (`METHOD path`) at the instant (ms). Returns false when the limit is exceeded. */
  take(path: string, now: number): boolean {
    const call = path.replace(/\/richmenu\/[^/]+\//, '/richmenu/{}/');
    if (this.perHour === null || !limitedCalls.includes(call)) return true;
    const bucket = this.#buckets.get(call) ?? { calls: this.perHour, filledAt: now };
    this.#buckets.set(call, bucket);
    bucket.calls = Math.min(this.perHour, bucket.calls + ((now - bucket.filledAt) * this.perHour) / hourMs);
    bucket.filledAt = now;
    // A tolerance for rounding, so that the last token of a full hour is usable.
    if (bucket.calls < 1 - 1e-9) return false;
    bucket.calls -= 1;
    return true;
  }

  /** Sets the limit and fills all buckets. */
  set(perHour: number | null): void {
    this.perHour = perHour;
    this.#buckets.clear();
  }
}
