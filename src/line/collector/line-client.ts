/**
 * Calls to LINE's API: one `GET`, limited in time and size, and the outcome of its answer.
 *
 *     200  answered         401  token-refused      403  unavailable     404  unknown        429  limited
 *     5xx, no connection, too slow  unreachable     anything else        nonsense
 *
 * Source: LINE Messaging API reference, "Status codes", "Error responses". The access token goes into the header only. An answer
 * that contains it is rejected.
 */
import { Agent, request } from 'undici';
import { Refusal } from '../../errors.ts';
import { secondMs } from '../../time.ts';
import type { Failure } from './schedule.ts';

export type Reply =
  | { outcome: 'answered'; text: string }
  /** LINE does not know the subject. */
  | { outcome: 'unknown' }
  /** `problem`: a message for people. */
  | { outcome: Exclude<Failure, 'sealed'>; problem: string };

export type LineTimes = { connectMsMax: number; headersMsMax: number; bodyMsMax: number; wholeMsMax: number };

const defaultTimes: LineTimes = {
  connectMsMax: 5 * secondMs,
  headersMsMax: 15 * secondMs,
  bodyMsMax: 10 * secondMs,
  wholeMsMax: 25 * secondMs,
};
const bodyBytesMax = 1024 * 1024;

export class LineClient {
  readonly #address: string;
  readonly #times: LineTimes;
  readonly #agent: Agent;
  readonly #stop = new AbortController();

  /** Throws Refusal INPUT_INVALID if the address is not an HTTP address. */
  constructor(address: string, times: Partial<LineTimes> = {}) {
    this.#address = readAddress(address);
    this.#times = { ...defaultTimes, ...times };
    const { connectMsMax, headersMsMax, bodyMsMax } = this.#times;
    this.#agent = new Agent({
      connect: { timeout: connectMsMax },
      headersTimeout: headersMsMax,
      bodyTimeout: bodyMsMax,
    });
  }

  /** Makes one call. Throws Stopped if the client is closed during the call; every other failure is a reply. */
  async get(path: string, token: string): Promise<Reply> {
    const whole = AbortSignal.timeout(this.#times.wholeMsMax);
    try {
      const { statusCode, body } = await request(this.#address + path, {
        dispatcher: this.#agent,
        headers: { authorization: `Bearer ${token}`, accept: 'application/json', 'user-agent': 'shoal' },
        signal: AbortSignal.any([whole, this.#stop.signal]),
      });
      const text = await readText(body);
      return text === null ? tooLarge : replyOf(statusCode, text, token);
    } catch (error) {
      if (this.#stop.signal.aborted) throw new Stopped('the call was cancelled');
      return { outcome: 'unreachable', problem: problemOf(error) };
    }
  }

  /** Cancels running calls. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#agent.destroy();
  }
}

/** The client was closed during a call. */
export class Stopped extends Error {}

const tooLarge: Reply = {
  outcome: 'nonsense',
  problem: `LINE's answer is larger than ${bodyBytesMax} bytes.`,
};

function replyOf(status: number, text: string, token: string): Reply {
  switch (status) {
    case 200:
      if (!text.includes(token)) return { outcome: 'answered', text };
      return {
        outcome: 'nonsense',
        problem: 'The answer contains the access token, so the server is not LINE.',
      };
    case 401:
      return { outcome: 'token-refused', problem: 'LINE refuses the access token (401). Set a valid one.' };
    case 403:
      return { outcome: 'unavailable', problem: 'LINE does not offer this to the account (403).' };
    case 404:
      return { outcome: 'unknown' };
    case 429:
      return { outcome: 'limited', problem: 'LINE reports that its rate limit is reached (429).' };
    default:
      if (status >= 500)
        return { outcome: 'unreachable', problem: `LINE responds with an error (${status}).` };
      return { outcome: 'nonsense', problem: `LINE responds with the unexpected status ${status}.` };
  }
}

/** Null: the body is too large. */
async function readText(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    // Leaving the loop closes the connection.
    if (bytes > bodyBytesMax) return null;
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function problemOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const name = error instanceof Error ? error.name : '';
  if (name === 'TimeoutError' || code.includes('TIMEOUT')) return 'LINE does not answer in time.';
  return `LINE cannot be reached${/^[A-Z_]+$/.test(code) ? ` (${code})` : ''}.`;
}

function readAddress(address: string): string {
  const url = URL.parse(address);
  const isWeb =
    url !== null && /^https?:$/.test(url.protocol) && `${url.username}${url.search}${url.hash}` === '';
  if (isWeb) return url.href.replace(/\/+$/, '');
  throw new Refusal(
    'INPUT_INVALID',
    'SHOAL_LINE_API must be an address such as https://api.line.me, without user, query or fragment.',
  );
}
