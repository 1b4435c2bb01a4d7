/**
 * Callers' tokens that Shoal has not seen: LINE names the channel of a stateless, v2.1, short-lived or long-lived token. The result is
 * cached until the token expires, for 15 minutes at most; a token that LINE refuses, for a minute.
 *
 *     GET  /oauth2/v2.1/verify?access_token=…   stateless and v2.1 tokens: 200 with client_id and expires_in, else 400
 *     POST /v2/oauth/verify                     short-lived and long-lived tokens: the same
 *
 * Source: LINE Messaging API reference, "Verify the validity of the channel access token v2.1", "Verify the validity of short-lived and
 * long-lived channel access tokens". Calls are limited for each address and in all, so that no caller floods LINE.
 */
import { LRUCache } from 'lru-cache';
import { hashLineToken } from '../bots/line-tokens.ts';
import { Refusal } from '../errors.ts';
import { RateLimit } from '../http/rate-limit.ts';
import { isObject, parseJson } from '../json.ts';
import { type Clock, minuteMs, secondMs } from '../time.ts';
import type { LineClient, TokenReply } from './line-client.ts';

/** The channel of a token; null: LINE refuses the token. `expiresAt` by the monotonic clock. */
type Verified = { channelId: string | null; expiresAt: number };

/** `monotonic` measures lifetimes, which a change of the system's time must not extend. */
type Options = { monotonic: Clock; onCall(endpoint: string, outcome: string): void };

const tokensMax = 10_000;
const refusedMs = minuteMs;
/** LINE does not report a revocation, so a revoked token reads stored figures for at most this long. LINE itself refuses other calls. */
const verifiedMsMax = 15 * minuteMs;
const addressCallsAMinute = 60;
const allCallsAMinute = 1_200;
const callsAtOnceMax = 16;
/** LINE's tokens; other texts are refused without a call. */
const tokenForm = /^[A-Za-z0-9+/=._~-]{30,1000}$/;

export class VerifiedTokens {
  readonly #line: Pick<LineClient, 'askForToken'>;
  readonly #options: Options;
  readonly #verified = new LRUCache<string, Verified>({ max: tokensMax });
  /** Apart, so that invented tokens do not displace valid ones. */
  readonly #refused = new LRUCache<string, Verified>({ max: tokensMax });
  readonly #running = new Map<string, Promise<Verified>>();
  readonly #addressLimit = new RateLimit(addressCallsAMinute);
  readonly #limit = new RateLimit(allCallsAMinute);

  constructor(line: Pick<LineClient, 'askForToken'>, options: Options) {
    this.#line = line;
    this.#options = options;
  }

  /** Returns the channel id of a token that LINE has verified and that has not expired; null: not known. */
  channelOf(token: string): string | null {
    return this.#find(this.#verified, hashLineToken(token))?.channelId ?? null;
  }

  /**
   * Asks LINE for the channel id of a token, at most once for a token; null: the token is not valid. Throws Refusal RATE_LIMITED if the
   * address or all callers have used up their calls, and GATEWAY_UNAVAILABLE if LINE does not answer.
   */
  async verify(token: string, address: string): Promise<string | null> {
    if (!tokenForm.test(token)) return null;
    const hash = hashLineToken(token);
    const cached = this.#find(this.#verified, hash) ?? this.#find(this.#refused, hash);
    if (cached) return cached.channelId;
    const running = this.#running.get(hash);
    if (running) return (await running).channelId;
    this.#count(address);
    const asking = this.#ask(token).finally(() => this.#running.delete(hash));
    this.#running.set(hash, asking);
    const verified = await asking;
    (verified.channelId === null ? this.#refused : this.#verified).set(hash, verified);
    return verified.channelId;
  }

  #find(cache: LRUCache<string, Verified>, hash: string): Verified | undefined {
    const cached = cache.get(hash);
    return cached && cached.expiresAt > this.#options.monotonic() ? cached : undefined;
  }

  #count(address: string): void {
    const now = this.#options.monotonic();
    const isAllowed =
      this.#running.size < callsAtOnceMax &&
      this.#addressLimit.take(address, now).retryAfterSeconds === null &&
      this.#limit.take('', now).retryAfterSeconds === null;
    if (!isAllowed) throw new Refusal('RATE_LIMITED', 'Too many tokens that Shoal does not know.');
  }

  async #ask(token: string): Promise<Verified> {
    const { monotonic, onCall } = this.#options;
    const form = new URLSearchParams({ access_token: token });
    for (const [path, body] of [
      [`/oauth2/v2.1/verify?${form}`, null],
      ['/v2/oauth/verify', form],
    ] as const) {
      const reply = await this.#line.askForToken(path, body);
      onCall('verify', reply.outcome);
      const verified = readVerified(reply, monotonic());
      if (verified) return verified;
    }
    return { channelId: null, expiresAt: monotonic() + refusedMs };
  }
}

/** Null: the call does not accept the token. */
function readVerified(reply: TokenReply, now: number): Verified | null {
  if (reply.outcome === 'refused' || reply.outcome === 'token-refused') return null;
  const answer = reply.outcome === 'answered' ? parseJson(reply.text) : null;
  const { client_id: channelId, expires_in: seconds } = isObject(answer) ? answer : {};
  if (typeof channelId !== 'string' || typeof seconds !== 'number') {
    throw new Refusal('GATEWAY_UNAVAILABLE', 'LINE does not verify the access token now. Nothing was sent.');
  }
  if (seconds <= 0) return null;
  return { channelId, expiresAt: now + Math.min(seconds * secondMs, verifiedMsMax) };
}
