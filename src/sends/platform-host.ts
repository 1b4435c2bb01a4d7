/**
 * The connection to a platform's host for sends. A call that certainly did not reach the host differs from one whose answer was lost.
 * There are no redirects and no retries.
 */
import type { Pool } from 'undici';
import { invalidInput } from '../errors.ts';
import { closePool, isConnectFailure, openPool, originOf } from '../host-pool.ts';
import { isObject, type JsonObject } from '../json.ts';
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

export class PlatformHost {
  readonly #name: string;
  readonly #origin: string;
  readonly #limits: HostLimits;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  /** Opened by the first call. */
  #pool: Promise<Pool> | undefined;

  /** `address` such as https://graph.facebook.com. Throws Refusal INPUT_INVALID for another form. */
  constructor(name: string, address: string, limits: Partial<HostLimits> = {}) {
    const origin = originOf(address);
    if (origin === null)
      throw invalidInput(`The address of ${name} must have no path, like https://graph.facebook.com.`);
    this.#name = name;
    this.#origin = origin;
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
      const isSent = !isConnectFailure(error);
      const problem = isSent ? `${this.#name}'s answer was lost.` : `${this.#name} cannot be reached.`;
      return { isSent, problem };
    }
  }

  /** Waits for running calls. Safe to call twice. */
  async close(): Promise<void> {
    await closePool(this.#pool);
  }

  #open(): Promise<Pool> {
    const { connectMs, answerMs, connections } = this.#limits;
    return openPool(this.#origin, {
      ...{ connections, connectMs, answerBytesMax },
      ...{ headMs: answerMs, silenceMs: answerMs },
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
