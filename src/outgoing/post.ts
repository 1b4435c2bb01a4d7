/**
 * One attempt: a notice as an HTTP request to its callback address, and what came back.
 *
 * Nothing of the receiver is trusted: every stage has its time, redirects are not followed, of the body only the beginning is
 * read, and the address is checked anew (addresses.ts).
 */
import { Agent, request } from 'undici';
import type { Keys } from '../bots/keys.ts';
import { Refusal } from '../errors.ts';
import { type Gate, guardedLookup, literalProblem } from './addresses.ts';
import { openSecrets } from './callbacks.ts';
import { type Claim, webhookId } from './queue.ts';
import type { Answer } from './retries.ts';
import { signedHeaders } from './signature.ts';

const connectMsMax = 5_000;
/** A pause within the body; what has come by then is enough. */
const bodyPauseMsMax = 2_000;
const bodyBytesMax = 4_096;
const excerptLengthMax = 300;
const problemLengthMax = 200;

/** Connections to the receivers, each checked by the gate. Close it at the end. */
export function openAgent(gate: Gate): Agent {
  return new Agent({
    allowH2: false,
    connect: { lookup: guardedLookup(gate), timeout: connectMsMax },
    bodyTimeout: bodyPauseMsMax,
  });
}

/** The body of the webhook: the same for every attempt, unless the contact was forgotten in between. */
export function payloadOf(claim: Claim): string {
  const { botId, contactId, platform, platformContactId, type, happenedAt, data } = claim;
  const timestamp = new Date(happenedAt).toISOString();
  return JSON.stringify({
    type,
    timestamp,
    data: { botId, contactId, platform, platformContactId, ...data },
  });
}

type Sending = {
  agent: Agent;
  gate: Gate;
  keys: Keys;
  now: number;
  /** From the look-up of the name to the end of the answer. */
  msMax: number;
  signal: AbortSignal;
};

/** Sends the notice once. Gives the answer, or why there is none; throws only when `signal` ended it. */
export async function post(
  claim: Claim,
  { agent, gate, keys, now, msMax, signal }: Sending,
): Promise<Answer> {
  const startedAt = performance.now();
  const answer = (part: Omit<Answer, 'ms'>) => ({ ...part, ms: Math.round(performance.now() - startedAt) });
  try {
    const url = new URL(claim.url);
    const refused = literalProblem(url, gate);
    if (refused !== null) return answer({ ...noAnswer, problem: refused });
    const body = payloadOf(claim);
    const secrets = openSecrets(keys, claim.botId, claim.sealed, now);
    const response = await request(url, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Shoal',
        ...signedHeaders(secrets, { id: webhookId(claim), at: now, body }),
      },
      dispatcher: agent,
      signal: AbortSignal.any([signal, AbortSignal.timeout(msMax)]),
    });
    const { statusCode: status, headers } = response;
    const excerpt = await readExcerpt(response.body);
    const retryAfter = headers['retry-after'];
    return answer({
      status,
      problem: problemOf(status),
      excerpt,
      retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    return answer({ ...noAnswer, problem: toWords(error, msMax) });
  }
}

const noAnswer = { status: null, excerpt: null, retryAfter: null };

function problemOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return `answered ${status}; redirects are not followed`;
  return `answered ${status}`;
}

/** The beginning of the body as text. What breaks off or hangs is no failure: the status has said what counts. */
async function readExcerpt(body: AsyncIterable<Uint8Array>): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
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
  const shown = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return shown === '' ? null : shown.slice(0, excerptLengthMax).toWellFormed();
}

function toWords(error: unknown, msMax: number): string {
  if (error instanceof Refusal) return error.message;
  if (!(error instanceof Error)) throw error;
  if (error.name === 'TimeoutError') return `no answer within ${msMax / 1_000} s`;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return `${code} ${error.message}`.replace(/\p{Cc}+/gu, ' ').slice(0, problemLengthMax);
}
