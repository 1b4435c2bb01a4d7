/**
 * LINE's limits of calls an hour: 60 for each of the calls named, a bucket that fills evenly (reference, "Rate limits").
 * Those of 200 and 2,000 calls a second are not kept here: a sandbox's clock may stand still.
 */
import { hourMs } from '../../src/time.ts';

/** `METHOD path` of the calls that are limited. */
export const limitedCalls: readonly string[] = [
  'GET /v2/bot/insight/demographic',
  'GET /v2/bot/insight/followers',
  'GET /v2/bot/insight/message/delivery',
  'GET /v2/bot/insight/message/event',
  'GET /v2/bot/insight/message/event/aggregation',
  'POST /v2/bot/message/broadcast',
  'POST /v2/bot/message/narrowcast',
  'POST /v2/bot/channel/webhook/test',
];

export class Limits {
  /** Calls an hour; null: no limit. */
  perHour: number | null;
  readonly #buckets = new Map<string, { calls: number; filledAt: number }>();

  constructor(perHour: number | null) {
    this.perHour = perHour;
  }

  /** Counts a call at the instant (ms); false: it may not be made, and cost nothing. */
  take(call: string, now: number): boolean {
    if (this.perHour === null || !limitedCalls.includes(call)) return true;
    const bucket = this.#buckets.get(call) ?? { calls: this.perHour, filledAt: now };
    this.#buckets.set(call, bucket);
    bucket.calls = Math.min(this.perHour, bucket.calls + ((now - bucket.filledAt) * this.perHour) / hourMs);
    bucket.filledAt = now;
    // Rounding must not keep the last call of a full hour back.
    if (bucket.calls < 1 - 1e-9) return false;
    bucket.calls -= 1;
    return true;
  }

  /** Sets the limit, all buckets full. */
  set(perHour: number | null): void {
    this.perHour = perHour;
    this.#buckets.clear();
  }
}
