/**
 * Limits the calls about access tokens (`/oauth2/…`, `/v2/oauth/…`), which any caller can make because their credentials are in the body:
 * for each address, in all, and at the same time.
 */
import { Refusal } from '../../errors.ts';
import { RateLimit } from '../../http/rate-limit.ts';

const addressCallsAMinute = 120;
const allCallsAMinute = 1_200;
const callsAtOnceMax = 16;

export const tokenBodyBytesMax = 64 * 1024;

export class TokenCalls {
  readonly #addressLimit = new RateLimit(addressCallsAMinute);
  readonly #limit = new RateLimit(allCallsAMinute);
  #running = 0;

  /** Counts a call. Returns a function that ends it, to be called once. Throws Refusal RATE_LIMITED. */
  start(address: string, now: number): () => void {
    if (this.#addressLimit.take(address, now).retryAfterSeconds !== null)
      throw new Refusal('RATE_LIMITED', 'Too many calls about access tokens from this address.');
    if (this.#running >= callsAtOnceMax || this.#limit.take('', now).retryAfterSeconds !== null)
      throw new Refusal('RATE_LIMITED', 'Too many calls about access tokens.');
    this.#running += 1;
    return () => {
      this.#running -= 1;
    };
  }
}
