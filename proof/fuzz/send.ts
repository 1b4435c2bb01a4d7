/** Sends calls over keep-alive connections, some of them pipelined, and raw bytes over connections of their own. */
import { connect } from 'node:net';
import { Client, type Dispatcher, Pool } from 'undici';
import type { Call } from './calls.ts';
import { bytesOf, urlOf } from './calls.ts';

export type Answer = {
  status: number;
  type: string;
  text: string;
  ms: number;
};
export type Message = { method: string; url: string; headers: Record<string, string>; body: Buffer | null };

/** Far more than an answer may take; the checks report what is late. */
const answerMsMax = 60_000;
const pipelined = 6;

export class Connections {
  readonly #pool: Pool;
  readonly #pipelines: Client[];

  constructor(address: string, { connections, pipelines }: { connections: number; pipelines: number }) {
    const timeouts = { headersTimeout: answerMsMax, bodyTimeout: answerMsMax };
    this.#pool = new Pool(address, { ...timeouts, connections });
    this.#pipelines = Array.from(
      { length: pipelines },
      () => new Client(address, { ...timeouts, pipelining: pipelined }),
    );
  }

  /** Sends one message. `pipeline`: over the connection of that number, without waiting for earlier answers. */
  async send({ method, url, headers, body }: Message, pipeline: number | null = null): Promise<Answer> {
    const startedAt = performance.now();
    const dispatcher =
      (pipeline === null ? undefined : this.#pipelines[pipeline % this.#pipelines.length]) ?? this.#pool;
    const response = await dispatcher.request({
      ...{ path: url, method: method as Dispatcher.HttpMethod, headers, body },
      // With this, a call waits for no earlier answer of its connection.
      idempotent: pipeline !== null,
    });
    const text = await response.body.text();
    const ms = performance.now() - startedAt;
    return { status: response.statusCode, type: String(response.headers['content-type'] ?? ''), text, ms };
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool, ...this.#pipelines].map((one) => one.destroy()));
  }
}

export function messageOf(call: Call): Message {
  return { method: call.method, url: urlOf(call), headers: call.headers, body: bytesOf(call) };
}

/** The message as HTTP/1.1 text, for a raw connection. */
export function rawText({ method, url, headers, body }: Message, host: string): Buffer {
  const lines = [
    `${method} ${url} HTTP/1.1`,
    `host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === null ? [] : [`content-length: ${body.length}`]),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body ?? Buffer.alloc(0)]);
}

export type RawAnswer = { statuses: number[]; text: string; ms: number; isClosed: boolean };

/** Writes the bytes in pieces, ends the connection, and reads until the server closes it. */
export function sendRaw(address: string, pieces: readonly Buffer[], msMax: number): Promise<RawAnswer> {
  const { hostname, port } = new URL(address);
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    let text = '';
    const end = (isClosed: boolean) => {
      clearTimeout(late);
      socket.destroy();
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
      resolve({ statuses, text, ms: performance.now() - startedAt, isClosed });
    };
    const late = setTimeout(() => end(false), msMax);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.once('close', () => end(true));
    socket.once('end', () => end(true));
    // The server may reset a connection that it refuses.
    socket.on('error', () => undefined);
    const write = (index: number): void => {
      const piece = pieces[index];
      if (piece === undefined) socket.end();
      else socket.write(piece, () => setImmediate(write, index + 1));
    };
    write(0);
  });
}
