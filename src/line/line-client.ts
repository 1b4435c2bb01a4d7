/**
 * Calls to LINE's API, limited in time and size, and the outcomes of their answers.
 *
 *     200  answered         401  token-refused      403  unavailable, or unreachable         404  unknown        429  limited
 *     5xx, no connection, too slow  unreachable     anything else        nonsense
 *
 * A 403 means "unavailable" only with LINE's message for accounts without the call. LINE also answers 403 to addresses that the
 * channel's settings do not allow.
 *
 * Source: LINE Messaging API reference, "Status codes", "Error responses". The access token goes into the header only. An answer
 * that contains it is rejected.
 */

import { type Failure, Stopped } from '../collector/source.ts';
import type { Refusal } from '../errors.ts';
import { codeOf } from '../host-pool.ts';
import { secondMs } from '../time.ts';
import { type Call, failureOf, LineHost, type LineTimes, readAll } from './line-host.ts';

export type Reply =
  | { outcome: 'answered'; text: string }
  /** LINE does not know the subject. */
  | { outcome: 'unknown' }
  /** `problem`: a message for people. `status`: of an unexpected answer. */
  | { outcome: Exclude<Failure, 'sealed'>; problem: string; status?: number };

/** `refused`: LINE refuses the values of the call (400). */
export type TokenReply = Reply | { outcome: 'refused' };

const defaultTimes: LineTimes = {
  connectMs: 5 * secondMs,
  headMs: 15 * secondMs,
  silenceMs: 10 * secondMs,
  allMs: 25 * secondMs,
};
const usualHeaders = ['accept', 'application/json', 'user-agent', 'shoal'];
/** Enough for a list of 1,000 rich menus. */
const bodyBytesMax = 8 * 1024 * 1024;

export class LineClient {
  readonly #host: LineHost;
  readonly #allMs: number;
  readonly #stop = new AbortController();

  /** Throws Refusal INPUT_INVALID as LineHost. */
  constructor(address: string, times: Partial<LineTimes> = {}) {
    const allTimes = { ...defaultTimes, ...times };
    this.#host = new LineHost(address, allTimes);
    this.#allMs = allTimes.allMs;
  }

  /** Makes one call with an access token. Throws Stopped if the client is closed during the call; every other failure is a reply. */
  async get(path: string, token: string): Promise<Reply> {
    const headers = [...usualHeaders, 'authorization', `Bearer ${token}`];
    return this.#call({ method: 'GET', path, headers, body: null }, token);
  }

  /** Makes a call about tokens, without an access token in its header. `form`: it is a `POST`. Throws like `get`. */
  async askForToken(path: string, form: URLSearchParams | null): Promise<TokenReply> {
    if (form === null) return this.#call({ method: 'GET', path, headers: usualHeaders, body: null }, null);
    const headers = [...usualHeaders, 'content-type', 'application/x-www-form-urlencoded'];
    return this.#call({ method: 'POST', path, headers, body: Buffer.from(form.toString()) }, null);
  }

  async #call(call: Call, token: string): Promise<Reply>;
  async #call(call: Call, token: null): Promise<TokenReply>;
  async #call(call: Call, token: string | null): Promise<TokenReply> {
    const signal = AbortSignal.any([AbortSignal.timeout(this.#allMs), this.#stop.signal]);
    try {
      const { status, body } = await this.#host.stream(call, signal);
      const text = (await readAll(body, bodyBytesMax))?.toString();
      if (status === 400 && token === null) return { outcome: 'refused' };
      return text === undefined ? tooLarge : replyOf(status, text, token);
    } catch (error) {
      if (this.#stop.signal.aborted) throw new Stopped('the call was cancelled');
      return { outcome: 'unreachable', problem: problemOf(failureOf(error)) };
    }
  }

  /** Cancels running calls. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#host.close();
  }
}

/** LINE Messaging API reference, "Error messages". */
const notForAccount = 'not available for your account';

const tooLarge: Reply = {
  outcome: 'nonsense',
  problem: `LINE's answer is larger than ${bodyBytesMax} bytes.`,
};

function replyOf(status: number, text: string, token: string | null): Reply {
  switch (status) {
    case 200:
      if (token === null || !text.includes(token)) return { outcome: 'answered', text };
      return {
        outcome: 'nonsense',
        problem: 'The answer contains the access token, so the server is not LINE.',
      };
    case 401:
      return { outcome: 'token-refused', problem: 'LINE refuses the access token (401). Set a valid one.' };
    case 403:
      return text.includes(notForAccount)
        ? { outcome: 'unavailable', problem: 'LINE does not offer this to the account (403).' }
        : {
            outcome: 'unreachable',
            problem: 'LINE refuses the call (403). Check its list of allowed addresses.',
          };
    case 404:
      return { outcome: 'unknown' };
    case 429:
      return { outcome: 'limited', problem: 'LINE reports that its rate limit is reached (429).' };
    default:
      if (status >= 500)
        return { outcome: 'unreachable', problem: `LINE responds with an error (${status}).` };
      return { outcome: 'nonsense', status, problem: `LINE responds with the unexpected status ${status}.` };
  }
}

function problemOf({ code, cause }: Refusal): string {
  if (code === 'LINE_TOO_SLOW') return 'LINE does not answer in time.';
  const problem = codeOf(cause);
  return `LINE cannot be reached${/^[A-Z_]+$/.test(problem) ? ` (${problem})` : ''}.`;
}
