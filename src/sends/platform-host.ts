/**
 * The connection to a platform's host for sends. A call that certainly did not reach the host differs from one whose answer was lost.
 * There are no redirects and no retries.
 */
import type { Pool } from 'undici';
import { invalidInput } from '../errors.ts';
import { isObject, type JsonObject } from '../json.ts';
import { codeOf } from '../line/line-host.ts';
import { secondMs } from '../time.ts';

export type HostAnswer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: JsonObject;
};
/** `isSent` false: the host certainly did not get the call. */
export type HostFailure = { isSent: boolean; problem: string };

/** `answerMs`: from the start of the call on a free connection. */
export type HostLimits = { connectMs: number; answerMs: number; connections: number };

const defaultLimits: HostLimits = { connectMs: 5 * secondMs, answerMs: 25 * secondMs, connections: 64 };
const answerBytesMax = 1024 * 1024;
/** Failures before the connection is open. */
const connectFailures = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export class PlatformHost {
  readonly #name: string;
  readonly #origin: string;
  readonly #limits: HostLimits;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  /** Opened by the first call: loading undici takes time at the start of a server. */
  #pool: Promise<Pool> | undefined;

  /** `address` such as https://graph.facebook.com. Throws Refusal INPUT_INVALID for another form. */
  constructor(name: string, address: string, limits: Partial<HostLimits> = {}) {
    const url = URL.parse(address);
    if (url === null || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`)
      throw invalidInput(`The address of ${name} must have no path, like https://graph.facebook.com.`);
    this.#name = name;
    this.#origin = url.origin;
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** Sends JSON and reads the answer; a body that is no JSON object reads as {}. Waits for a free connection first, without a limit. */
  async post(path: string, body: object, headers: Record<string, string>): Promise<HostAnswer | HostFailure> {
    if (this.#running < this.#limits.connections) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await this.#post(path, body, headers);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }

  async #post(
    path: string,
    body: object,
    headers: Record<string, string>,
  ): Promise<HostAnswer | HostFailure> {
    this.#pool ??= this.#open();
    const pool = await this.#pool;
    try {
      const answer = await pool.request({
        method: 'POST',
        path,
        headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'shoal' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(this.#limits.answerMs),
      });
      const text = await answer.body.text();
      return { status: answer.statusCode, headers: answer.headers, body: parse(text) };
    } catch (error) {
      const isSent = !connectFailures.has(codeOf(error));
      const problem = isSent ? `${this.#name}'s answer was lost.` : `${this.#name} cannot be reached.`;
      return { isSent, problem };
    }
  }

  /** Waits for running calls. Safe to call twice. */
  async close(): Promise<void> {
    const pool = await this.#pool;
    if (pool && !pool.destroyed) await pool.close();
  }

  async #open(): Promise<Pool> {
    const { Pool } = await import('undici');
    const { connectMs, answerMs, connections } = this.#limits;
    return new Pool(this.#origin, {
      connections,
      // With HTTP/1.1 the client never repeats a running request on another connection.
      allowH2: false,
      pipelining: 1,
      connect: { timeout: connectMs },
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      maxResponseSize: answerBytesMax,
    });
  }
}

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
