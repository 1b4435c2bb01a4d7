/**
 * One attempt: a webhook message as an HTTP request, and its answer.
 *
 * The receiver is not trusted. Every stage has a time limit, redirects are not followed, only the beginning of the body is read,
 * and the address is checked again (addresses.ts).
 */
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { TLSSocket } from 'node:tls';
import type { Keys } from '../auth/keys.ts';
import { Refusal } from '../errors.ts';
import { type Gate, guardedLookup, literalProblem } from './addresses.ts';
import { openSecrets } from './endpoints.ts';
import type { Claim } from './queue.ts';
import type { Answer } from './retries.ts';
import { signedHeaders } from './signature.ts';

const connectMsMax = 5_000;
/** Of a pause within the body. The bytes received by then are enough. */
const bodyPauseMsMax = 2_000;
const bodyBytesMax = 4_096;
const noConnection = `no connection within ${connectMsMax / 1_000} s`;
const excerptLengthMax = 300;
const problemLengthMax = 200;

/**
 * Connections to the receivers, each checked by the gate. Close it at the end.
 *
 * It uses Node's own client, which skips interim answers such as an unrequested `100 Continue`; undici ends the connection then.
 */
export class Agents {
  readonly #http: http.Agent;
  readonly #https: https.Agent;

  constructor(gate: Gate) {
    const options = { keepAlive: true, lookup: guardedLookup(gate) };
    this.#http = new http.Agent(options);
    this.#https = new https.Agent(options);
  }

  /** Sends the request and returns the head of the final answer. */
  send(url: URL, { body, ...options }: RequestOptions & { body: string }): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request =
        url.protocol === 'https:'
          ? https.request(url, { ...options, agent: this.#https })
          : http.request(url, { ...options, agent: this.#http });
      const timer = setTimeout(() => request.destroy(new Error(noConnection)), connectMsMax);
      const connected = (): void => clearTimeout(timer);
      request.on('socket', (socket) => {
        if (!socket.connecting) connected();
        else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', connected);
      });
      request.on('response', resolve);
      request.on('close', () => {
        connected();
        reject(new Error('the connection ended without an answer'));
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  /** Ends all connections. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

/** The body of the message: the same for every attempt, unless the contact was deleted in between. */
export function payloadOf(claim: Claim): string {
  const { botId, contactId, platform, platformContactId, type, happenedAt, data } = claim;
  return JSON.stringify({
    type,
    timestamp: happenedAt.toISOString(),
    data: { botId, contactId, platform, platformContactId, ...data },
  });
}

type PostOptions = {
  agents: Agents;
  gate: Gate;
  now: number;
  /** From the name resolution to the end of the answer. */
  msMax: number;
  signal: AbortSignal;
};

/** Sends the message once. Returns the answer or the problem; throws only if `signal` aborted it. */
export async function post(
  claim: Claim,
  { keys, ...options }: PostOptions & { keys: Keys },
): Promise<Answer> {
  const { webhookId: id, url } = claim;
  const secrets = () => openSecrets(keys, claim.botId, claim, options.now);
  return postSigned({ id, url, body: payloadOf(claim), secrets }, options);
}

/** Sends a signed body once, as `post`. `secrets` may throw a Refusal, which becomes the problem. */
export async function postSigned(
  { id, url: address, body, secrets }: { id: string; url: string; body: string; secrets(): string[] },
  { agents, gate, now, msMax, signal }: PostOptions,
): Promise<Answer> {
  const startedAt = performance.now();
  const timeout = AbortSignal.timeout(msMax);
  const answer = (part: Omit<Answer, 'ms'>) => ({ ...part, ms: Math.round(performance.now() - startedAt) });
  try {
    const url = new URL(address);
    const problem = literalProblem(url, gate);
    if (problem !== null) return answer({ ...noAnswer, problem });
    const response = await agents.send(url, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Shoal',
        ...signedHeaders(secrets(), { id, at: now, body }),
      },
      signal: AbortSignal.any([signal, timeout]),
    });
    const { statusCode: status = 0, headers } = response;
    const excerpt = await readExcerpt(response);
    return answer({
      status,
      problem: problemOf(status),
      excerpt,
      retryAfter: headers['retry-after'] ?? null,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    const problem = timeout.aborted ? `no answer within ${msMax / 1_000} s` : toWords(error);
    return answer({ ...noAnswer, problem });
  }
}

const noAnswer = { status: null, excerpt: null, retryAfter: null };

function problemOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return `answered ${status}; redirects are not followed`;
  return `answered ${status}`;
}

/** The beginning of the body as text. A body that breaks off or hangs is no failure: only the status counts. */
async function readExcerpt(body: IncomingMessage): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  body.setTimeout(bodyPauseMsMax, () => body.destroy());
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= bodyBytesMax) break;
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
  const text = Buffer.concat(chunks).subarray(0, bodyBytesMax).toString('utf8');
  const excerpt = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return excerpt === '' ? null : excerpt.slice(0, excerptLengthMax).toWellFormed();
}

function toWords(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  if (!(error instanceof Error)) throw error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return `${code} ${error.message}`.replace(/\p{Cc}+/gu, ' ').slice(0, problemLengthMax);
}
