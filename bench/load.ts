/**
 * A closed-loop HTTP load, at most at a given rate: keep-alive connections with one request each. It uses plain sockets, because the
 * generator shares the machine with the server. Loopback only.
 */
import { connect } from 'node:net';
import { quantile } from './statistics.ts';

export type LoadOptions = {
  port: number;
  connections: number;
  durationMs: number;
  /** Ends after this number of requests, or after the duration. */
  requestsMax?: number;
  /** At most as many requests a second; left out: as many as are answered. */
  perSecond?: number | undefined;
  /** The bytes of the n-th request (from 0), with headers. */
  request(n: number): Buffer;
};

export type LoadResult = {
  seconds: number;
  requests: number;
  perSecond: number;
  /** Number of responses by HTTP status. */
  statuses: Record<string, number>;
  /** Latencies in ms at these shares. */
  p50: number;
  p99: number;
  max: number;
  /** Share (0 to 1) of responses that took longer than 250 ms. */
  above250: number;
  /** The same for 1 s. */
  above1000: number;
};

const answerBytesMax = 16 * 1024 * 1024;

/** Runs the load and returns its figures. Rejects if a connection breaks or a response has no content-length. */
export async function load({
  port,
  connections,
  durationMs,
  requestsMax = Number.POSITIVE_INFINITY,
  perSecond,
  request,
}: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  const startedAt = performance.now();
  const endsAt = startedAt + durationMs;
  let sent = 0;
  const next = (): Buffer | null =>
    performance.now() >= endsAt || sent >= requestsMax ? null : request(sent++);
  const waitMs = (): number =>
    perSecond === undefined ? 0 : startedAt + (sent / perSecond) * 1_000 - performance.now();
  const answered = (status: string, ms: number): void => {
    statuses[status] = (statuses[status] ?? 0) + 1;
    latencies.push(ms);
  };
  await Promise.all(
    Array.from({ length: connections }, () => runConnection(port, { next, waitMs, answered })),
  );
  return summary(latencies, statuses, (performance.now() - startedAt) / 1_000);
}

/** The figures of latencies in ms. */
export function summary(
  latencies: readonly number[],
  statuses: Record<string, number>,
  seconds: number,
): LoadResult {
  const shareAbove = (bound: number): number =>
    latencies.reduce((count, ms) => (ms > bound ? count + 1 : count), 0) / Math.max(1, latencies.length);
  return {
    seconds,
    requests: latencies.length,
    perSecond: latencies.length / seconds,
    statuses,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    max: quantile(latencies, 1),
    above250: shareAbove(250),
    above1000: shareAbove(1_000),
  };
}

/** The bytes of a POST with a body. */
export function post(path: string, headers: Record<string, string>, body: string): Buffer {
  return request(`POST ${path}`, { ...headers, 'content-length': String(Buffer.byteLength(body)) }, body);
}

/** The bytes of a GET. */
export function get(path: string, headers: Record<string, string>): Buffer {
  return request(`GET ${path}`, headers, '');
}

function request(line: string, headers: Record<string, string>, body: string): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${line} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines.join('')}\r\n${body}`);
}

type Turns = {
  /** The next request; null: the time is over. */
  next(): Buffer | null;
  /** Until the next request may be sent. */
  waitMs(): number;
  answered(status: string, ms: number): void;
};

function runConnection(port: number, { next, waitMs, answered }: Turns): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let sentAt = 0;
    let received: Buffer = Buffer.alloc(0);
    const send = (): void => {
      const pauseMs = waitMs();
      if (pauseMs > 0) {
        setTimeout(send, pauseMs);
        return;
      }
      const request = next();
      if (request === null) {
        resolve();
        socket.end();
        return;
      }
      sentAt = performance.now();
      socket.write(request);
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed a connection')));
    socket.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const length = answerLength(received);
      if (length === null || received.length < length) return;
      answered(received.toString('latin1', 9, 12), performance.now() - sentAt);
      received = received.subarray(length);
      send();
    });
  });
}

/** Bytes of the whole response; null while its head is incomplete. */
function answerLength(received: Buffer): number | null {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const match = /content-length: (\d+)/i.exec(received.toString('latin1', 0, headEnd));
  const length = Number(match?.[1] ?? Number.NaN);
  if (!(length <= answerBytesMax)) throw new Error('an answer without a content-length that can be read');
  return headEnd + 4 + length;
}
