/**
 * Calls to Meta's Graph API: one `GET`, limited in time and size. Errors become failures of the collector.
 *
 *     190, 102, 104          token-refused   the token is invalid, expired or missing
 *     4, 17, 32, 613, 8000x  limited         a limit of calls is reached
 *     3, 10, 200 to 299      unavailable     a permission is missing
 *     1, 2, 5xx, no answer   unreachable
 *     anything else          nonsense
 *
 * Sources (developers.facebook.com): "Handle errors" and "Rate Limits" of the Graph API (read 2026-11-30); "Error codes" of WhatsApp
 * (2025-12). The caller's access token goes into a header. Only the check of a token also has it in the address (token-check.ts), so no
 * address goes into errors, logs or traces, and a token in Meta's error message is replaced.
 */
import type { Pool } from 'undici';
import { type Failure, Stopped } from '../collector/source.ts';
import { invalidInput } from '../errors.ts';
import { openPool, originOf } from '../host-pool.ts';
import { isObject, type JsonObject } from '../json.ts';
import { redact } from '../redact.ts';
import { minuteMs, secondMs } from '../time.ts';

/** `facebook`: graph.facebook.com; `instagram`: graph.instagram.com, for tokens of Instagram Login. */
export type GraphHost = 'facebook' | 'instagram';
export type GraphAddresses = Record<GraphHost, string>;
export type GraphCall = { host: GraphHost; path: string; token: string };
/** `pauseMs`: the time to wait before the next call, because the limit of calls is nearly used up; 0: none. */
export type GraphAnswer = { value: JsonObject; pauseMs: number };

/** For all calls to Meta, on both hosts. Of 8 October 2025, available until 18 February 2028 ("Changelog", read 2026-12-01). */
export const graphVersion = 'v24.0';
const allMs = 30 * secondMs;
const limits = {
  ...{ connections: 8, connectMs: 5 * secondMs, answerBytesMax: 8 * 1024 * 1024 },
  ...{ headMs: 15 * secondMs, silenceMs: 15 * secondMs },
};
/** The used share of a limit, in percent, from which calls pause. */
const busyShare = 90;
const defaultPauseMs = 10 * minuteMs;
const messageLengthMax = 300;

/** A call that failed. `problem` is a message for people. */
export class GraphFailure extends Error {
  readonly failure: Failure;
  readonly code: number | null;
  readonly subcode: number | null;
  readonly pauseMs: number;

  constructor(
    failure: Failure,
    problem: string,
    {
      code = null,
      subcode = null,
      pauseMs = 0,
    }: { code?: number | null; subcode?: number | null; pauseMs?: number } = {},
  ) {
    super(problem);
    this.failure = failure;
    this.code = code;
    this.subcode = subcode;
    this.pauseMs = pauseMs;
  }
}

export class GraphClient {
  readonly #origins: GraphAddresses;
  /** Opened by the first call to each host. */
  readonly #pools = new Map<GraphHost, Promise<Pool>>();
  readonly #stop = new AbortController();

  /** Throws Refusal INPUT_INVALID for an address with a path. */
  constructor(addresses: GraphAddresses) {
    this.#origins = {
      facebook: checkOrigin(addresses.facebook),
      instagram: checkOrigin(addresses.instagram),
    };
  }

  /** Makes one call. Throws GraphFailure, and Stopped if the client is closed during the call. */
  async get({ host, path, token }: GraphCall): Promise<GraphAnswer> {
    const signal = AbortSignal.any([AbortSignal.timeout(allMs), this.#stop.signal]);
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json', 'user-agent': 'shoal' };
    try {
      const pool = await this.#poolOf(host);
      const answer = await pool.request({
        ...{ method: 'GET', path: `/${graphVersion}${path}`, headers, signal },
      });
      const text = await answer.body.text();
      return readAnswer(answer.statusCode, text, { token, pauseMs: pauseOf(answer.headers) });
    } catch (error) {
      if (error instanceof GraphFailure) throw error;
      if (this.#stop.signal.aborted) throw new Stopped('the call was cancelled');
      throw new GraphFailure('unreachable', 'Meta cannot be reached, or does not answer in time.');
    }
  }

  /** Cancels running calls. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#pools.values().map(async (pool) => (await pool).destroy()));
  }

  #poolOf(host: GraphHost): Promise<Pool> {
    const pool = this.#pools.get(host) ?? openPool(this.#origins[host], limits);
    this.#pools.set(host, pool);
    return pool;
  }
}

function checkOrigin(address: string): string {
  const origin = originOf(address);
  if (origin !== null) return origin;
  throw invalidInput(
    `The address of Meta's API must have no path, like https://graph.facebook.com, not ${address}.`,
  );
}

function readAnswer(
  status: number,
  text: string,
  { token, pauseMs }: { token: string; pauseMs: number },
): GraphAnswer {
  const value = parse(text);
  if (isObject(value) && isObject(value.error)) throw failureOf(value.error, status, { token, pauseMs });
  if (status >= 500) throw new GraphFailure('unreachable', `Meta responds with an error (${status}).`);
  if (status !== 200 || !isObject(value))
    throw new GraphFailure('nonsense', `Meta responds with the unexpected status ${status}.`);
  if (text.includes(token))
    throw new GraphFailure('nonsense', 'The answer contains the access token, so the server is not Meta.');
  return { value, pauseMs };
}

function failureOf(
  error: JsonObject,
  status: number,
  { token, pauseMs }: { token: string; pauseMs: number },
): GraphFailure {
  const code = typeof error.code === 'number' ? error.code : null;
  const subcode = typeof error.error_subcode === 'number' ? error.error_subcode : null;
  // Meta repeats an access token in some messages: "Malformed access token EAA…".
  const message =
    typeof error.message === 'string'
      ? redact(error.message, token).slice(0, messageLengthMax)
      : `status ${status}`;
  const failure = kindOf(code, status);
  const pause = failure === 'limited' ? Math.max(pauseMs, defaultPauseMs) : 0;
  return new GraphFailure(failure, `Meta answers: ${message}`, { code, subcode, pauseMs: pause });
}

const tokenCodes = [102, 104, 190];
/** Codes of a limit of the app, the account or the channel. */
export const limitCodes: readonly number[] = [
  ...[4, 17, 32, 341, 613, 80001, 80002, 80006, 80007, 130429, 131048, 133016],
];

function kindOf(code: number | null, status: number): Failure {
  if (code === null) return status >= 500 ? 'unreachable' : 'nonsense';
  if (tokenCodes.includes(code)) return 'token-refused';
  if (limitCodes.includes(code)) return 'limited';
  if (code === 3 || code === 10 || (code >= 200 && code < 300)) return 'unavailable';
  return code === 1 || code === 2 ? 'unreachable' : 'nonsense';
}

/**
 * The pause that the usage headers ask for: `X-App-Usage` with shares in percent, and `X-Business-Use-Case-Usage` with shares and the
 * minutes until calls are allowed again, for each account.
 */
export function pauseOf(headers: Record<string, string | string[] | undefined>): number {
  const app = parse(headers['x-app-usage']);
  const accounts = parse(headers['x-business-use-case-usage']);
  const usages = [app, ...(isObject(accounts) ? Object.values(accounts).flat() : [])].filter(isObject);
  return Math.max(0, ...usages.map(pauseOfOne));
}

function pauseOfOne(usage: JsonObject): number {
  const numberOf = (name: string) => (typeof usage[name] === 'number' ? usage[name] : 0);
  const share = Math.max(...['call_count', 'total_cputime', 'total_time'].map(numberOf));
  if (share < busyShare) return 0;
  return Math.max(defaultPauseMs, numberOf('estimated_time_to_regain_access') * minuteMs);
}

function parse(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
