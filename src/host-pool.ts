/**
 * Connections to one host of a platform. They are reused, and each stage of a call has a time limit. A call runs once: there are no
 * redirects and no retries, and the caller learns if the host certainly did not get it.
 */
import type { Pool } from 'undici';

/** Times in ms, the answer's size in bytes. */
export type PoolLimits = {
  connections: number;
  connectMs: number;
  headMs: number;
  silenceMs: number;
  answerBytesMax: number;
};

/** Failures before the connection is open, so nothing was sent. */
const connectFailures = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Call it with the first call of the host: loading undici takes a tenth of the time of a start. */
export async function openPool(
  origin: string,
  { connections, connectMs, headMs, silenceMs, answerBytesMax }: PoolLimits,
): Promise<Pool> {
  const { Pool } = await import('undici');
  return new Pool(origin, {
    connections,
    // With HTTP/1.1 the client never repeats a running request on another connection.
    allowH2: false,
    pipelining: 1,
    connect: { timeout: connectMs },
    headersTimeout: headMs,
    bodyTimeout: silenceMs,
    maxResponseSize: answerBytesMax,
  });
}

/** Waits for running calls. Idempotent. */
export async function closePool(opening: Promise<Pool> | undefined): Promise<void> {
  const pool = await opening;
  if (pool && !pool.destroyed) await pool.close();
}

/** The origin of an http or https address without a path; null for another form. */
export function originOf(address: string): string | null {
  const url = URL.parse(address);
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  return isOrigin ? url.origin : null;
}

/** The host certainly did not get the call. */
export function isConnectFailure(error: unknown): boolean {
  return connectFailures.has(codeOf(error));
}

/** The code of an error or of its cause. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return 'code' in error ? String(error.code) : codeOf(error.cause);
}
