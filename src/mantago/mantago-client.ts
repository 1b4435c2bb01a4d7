/**
 * Calls to MantaGo's OpenAPI: one JSON POST, limited in time and size, with the failures that a caller distinguishes.
 *
 *     401; 1004, 1002, 5001, 120000    refused       the pair, the bot or its plan: a person must act
 *     429                              limited       wait as long as `Retry-After` says
 *     5xx, no answer                   unreachable
 *     any other code                   declined      this one call; `code` is MantaGo's
 *     anything else                    nonsense
 *
 * Sources: MantaGo's contract and its pages "error codes" and "how to get a token" (docs/mantago.md). The token goes into a header and
 * the secret into the body; neither goes into errors, logs or addresses. The pair is never refreshed: a refresh would end the pair of
 * the business's other programs.
 */
import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { Stopped } from '../collector/source.ts';
import { invalidInput } from '../errors.ts';
import { isObject, type JsonObject, parseJson } from '../json.ts';
import { redact } from '../redact.ts';
import { type Clock, minuteMs, secondMs } from '../time.ts';
import { callbackProblem, type Gate, literalProblem } from '../webhooks-out/addresses.ts';
import { Agents } from '../webhooks-out/post.ts';
import { pauseOfHeader } from '../webhooks-out/retries.ts';

/** The business's bot at MantaGo. */
export type Connection = { address: string; theirBotId: string; token: string; secret: string };

export type FailureKind = 'refused' | 'limited' | 'unreachable' | 'declined' | 'nonsense';

/** A call that failed. The message is for people. */
export class MantagoFailure extends Error {
  readonly kind: FailureKind;
  /** MantaGo's code; null: it sent none. */
  readonly code: number | null;
  /** How long MantaGo asks to wait (ms); null: it did not say. */
  readonly pauseMs: number | null;

  constructor(
    kind: FailureKind,
    message: string,
    { code = null, pauseMs = null }: { code?: number | null; pauseMs?: number | null } = {},
  ) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.pauseMs = pauseMs;
  }
}

export type MantagoCall = {
  /** After `/openapi`, such as `/clients/analysis`. */
  path: string;
  query?: Readonly<Record<string, string | number | null>>;
  body?: JsonObject;
};

const allMs = 30 * secondMs;
const bodyBytesMax = 16 * 1024 * 1024;
const messageLengthMax = 300;
const defaultPauseMs = minuteMs;
const notFound = 37011;

/** MantaGo knows no such client. */
export function isUnknownClient(error: unknown): boolean {
  return error instanceof MantagoFailure && error.kind === 'declined' && error.code === notFound;
}

export class MantagoClient {
  readonly #gate: Gate;
  readonly #agents: Agents;
  readonly #clock: Clock;
  readonly #msMax: number;
  readonly #stop = new AbortController();

  constructor(gate: Gate, clock: Clock, { msMax = allMs }: { msMax?: number } = {}) {
    this.#gate = gate;
    this.#agents = new Agents(gate);
    this.#clock = clock;
    this.#msMax = msMax;
  }

  /** Makes one call and returns its answer. Throws MantagoFailure, and Stopped if the client is closed during the call. */
  async call(connection: Connection, { path, query = {}, body = {} }: MantagoCall): Promise<JsonObject> {
    const { address, theirBotId, token, secret } = connection;
    const url = new URL(`${address}/openapi${path}`);
    const parameters = Object.entries({ botId: theirBotId, ...query });
    for (const [name, value] of parameters) if (value !== null) url.searchParams.set(name, String(value));
    const problem = literalProblem(url, this.#gate);
    if (problem !== null) throw new MantagoFailure('refused', `MantaGo cannot be called: ${problem}.`);
    const signal = AbortSignal.any([AbortSignal.timeout(this.#msMax), this.#stop.signal]);
    const text = JSON.stringify({ ...body, secret });
    try {
      const answer = await this.#agents.send(url, {
        method: 'POST',
        body: text,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          accept: 'application/json',
          'user-agent': 'Shoal',
        },
        signal,
      });
      const { statusCode: status = 0, headers } = answer;
      return readAnswer(parseJson(await textOf(answer)), {
        ...{ status, connection },
        retryAfterMs: pauseOfHeader(headers['retry-after'] ?? null, this.#clock()),
      });
    } catch (error) {
      if (error instanceof MantagoFailure || !(error instanceof Error)) throw error;
      if (this.#stop.signal.aborted) throw new Stopped('the call was cancelled');
      throw new MantagoFailure('unreachable', `MantaGo cannot be reached, or does not answer in time.`);
    }
  }

  /** Waits `ms`. Throws Stopped if the client is closed before the end. */
  async pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#stop.signal }).catch(() => {
      throw new Stopped('the pause was cancelled');
    });
  }

  /** Cancels running calls and pauses. Idempotent. */
  close(): void {
    this.#stop.abort();
    this.#agents.close();
  }
}

/**
 * The base address of a typed one, without the last slash. An address without a path means MantaGo's `/api`, which Shoal serves, too.
 * Throws Refusal INPUT_INVALID.
 */
export async function readAddress(text: string, gate: Gate): Promise<string> {
  const problem = await callbackProblem(text, gate);
  if (problem !== null) throw invalidInput(`The address of MantaGo: ${problem}.`);
  const url = new URL(text);
  if (url.protocol !== 'https:' && !gate.allowPrivate)
    throw invalidInput(
      'The address of MantaGo must begin with https://, because the calls carry the secret.',
    );
  if (url.search !== '' || url.hash !== '')
    throw invalidInput('The address of MantaGo must have no "?" and no "#".');
  const path = url.pathname.replace(/\/+$/, '').replace(/\/openapi$/, '');
  return `${url.origin}${path === '' ? '/api' : path}`;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > bodyBytesMax) {
      answer.destroy();
      throw new MantagoFailure('nonsense', `MantaGo's answer is larger than ${bodyBytesMax} bytes.`);
    }
  }
  return Buffer.concat(chunks).toString('utf8');
}

type Head = { status: number; connection: Connection; retryAfterMs: number | null };

function readAnswer(value: unknown, { status, connection, retryAfterMs }: Head): JsonObject {
  if (status === 200 && isObject(value) && value.success === true) return value;
  const response = isObject(value) && isObject(value.errResponse) ? value.errResponse : {};
  const code = typeof response.code === 'number' ? response.code : null;
  const message = messageOf(response.message, connection);
  if (status === 429) {
    const pauseMs = retryAfterMs ?? defaultPauseMs;
    throw new MantagoFailure('limited', 'MantaGo limits the calls (429).', { code, pauseMs });
  }
  const refusal = refusalOf(status, code, connection);
  if (refusal !== null) throw new MantagoFailure('refused', refusal, { code });
  if (status >= 500) {
    const problem = `MantaGo answers with an error (${status}${message}).`;
    throw new MantagoFailure('unreachable', problem, { code, pauseMs: retryAfterMs });
  }
  if (code !== null)
    throw new MantagoFailure('declined', `MantaGo declines the call (${code}${message}).`, { code });
  throw new MantagoFailure('nonsense', `The address does not answer like MantaGo (status ${status}).`);
}

/** What a person has to do, by MantaGo's code; null: nothing. */
function refusalOf(status: number, code: number | null, { theirBotId }: Connection): string | null {
  switch (code) {
    case 1004:
      return 'MantaGo says that the token is invalid or has expired (1004); a pair lives 30 days. Set the current token and secret.';
    case 1002:
      return 'MantaGo denies permission (1002): the token or the secret is wrong, or the plan has no Open API.';
    case 5001:
      return `MantaGo has no bot ${theirBotId} (5001). Its id is the last part of the dashboard's address, after /chatbot/.`;
    case 120000:
      return 'MantaGo says that the pair was replaced (120000). Set the current token and secret.';
    default:
      return status === 401 ? 'MantaGo refuses the token (401). Set the current token and secret.' : null;
  }
}

function messageOf(message: unknown, { token, secret }: Connection): string {
  if (typeof message !== 'string' || message === '') return '';
  const text = redact(redact(message, token), secret).replace(/[\p{Cc}\s]+/gu, ' ');
  return `: ${text.slice(0, messageLengthMax).toWellFormed()}`;
}
