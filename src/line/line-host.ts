/**
 * The connection to LINE's host, the only host that the gateway and the collector call. Connections are reused. Each stage has a
 * time limit, and answers have a size limit. There are no redirects and no retries.
 */
import type { Readable } from 'node:stream';
import type { Dispatcher, Pool } from 'undici';
import { Refusal } from '../errors.ts';
import { closePool, codeOf, isConnectFailure, openPool, originOf } from '../host-pool.ts';

export type AnswerHeaders = Record<string, string | string[] | undefined>;
export type Call = {
  method: Dispatcher.HttpMethod;
  /** With its query. */
  path: string;
  headers: string[];
  body: Uint8Array | Readable | null;
};
/** `body` null: the connection was lost after the headers. */
export type LineAnswer = { status: number; headers: AnswerHeaders; body: Uint8Array | null };
type StreamedAnswer = Omit<LineAnswer, 'body'> & { body: Readable };

/** Time limits of a call's stages, ms. */
export type LineTimes = { connectMs: number; headMs: number; silenceMs: number; allMs: number };

const connectionsMax = 128;
const sendAnswerBytesMax = 1024 * 1024;
const answerBytesMax = 64 * 1024 * 1024;

const timeouts = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

export class LineHost {
  readonly #origin: string;
  readonly #times: LineTimes;
  /** Opened by the first call. */
  #pool: Promise<Pool> | undefined;

  /** `address` such as https://api.line.me. Throws Refusal INPUT_INVALID for another form. */
  constructor(address: string, times: LineTimes) {
    this.#origin = readOrigin(address);
    this.#times = times;
  }

  /**
   * Makes one call and reads its answer. Throws Refusal LINE_UNREACHABLE or LINE_TOO_SLOW; the message says if the call may have
   * reached LINE.
   */
  async call(call: Call): Promise<LineAnswer> {
    const { status, headers, body } = await this.stream(call);
    // The reason of a loss does not matter, because the status has already shown if LINE accepted the call.
    return { status, headers, body: await readAll(body, sendAnswerBytesMax).catch(() => null) };
  }

  /** Makes one call and returns its answer as a stream. Throws like `call`. */
  async stream(
    { method, path, headers, body }: Call,
    signal = AbortSignal.timeout(this.#times.allMs),
  ): Promise<StreamedAnswer> {
    try {
      this.#pool ??= openPool(this.#origin, { ...this.#times, connections: connectionsMax, answerBytesMax });
      const pool = await this.#pool;
      const answer = await pool.request({ method, path, headers, body, signal });
      return { status: answer.statusCode, headers: answer.headers, body: answer.body };
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** Waits for running calls. Idempotent. */
  async close(): Promise<void> {
    await closePool(this.#pool);
  }
}

/** The origin of an address without a path. Throws Refusal INPUT_INVALID. */
function readOrigin(address: string): string {
  const origin = originOf(address);
  if (origin !== null) return origin;
  throw new Refusal(
    'INPUT_INVALID',
    '--line-api must be an address without a path, like https://api.line.me.',
  );
}

/** Reads the whole body; null: it is too large. Throws if the connection is lost. */
export async function readAll(body: Readable, bytesMax: number): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    const chunk = Buffer.from(part);
    bytes += chunk.byteLength;
    // Leaving the loop closes the connection.
    if (bytes > bytesMax) return null;
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

/** The failure of a call, with the error as its cause. */
export function failureOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const code = codeOf(error);
  if (isConnectFailure(error)) {
    const name = timeouts.has(code) ? 'LINE_TOO_SLOW' : 'LINE_UNREACHABLE';
    return new Refusal(name, 'LINE cannot be reached. Nothing was sent.', { cause: error });
  }
  const isLate = timeouts.has(code) || (error instanceof Error && error.name === 'TimeoutError');
  return isLate
    ? new Refusal('LINE_TOO_SLOW', `LINE did not answer in time. ${unknownOutcome}`, { cause: error })
    : new Refusal('LINE_UNREACHABLE', `LINE's answer could not be read. ${unknownOutcome}`, {
        cause: error,
      });
}

export const unknownOutcome =
  'LINE may have accepted the call. Repeat a send only with the same X-Line-Retry-Key, and a reply or phone-number push never.';
