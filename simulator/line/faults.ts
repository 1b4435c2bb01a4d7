/**
 * Faults on demand: the next calls of a path fail, are late or get no answer. A fault happens before LINE processes the call,
 * or after it, when only the answer is lost.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';

/**
 * `error`: the status (500) · `hang`: no answer · `slow`: the correct answer after `delayMs` · `nonsense`: 200 and truncated
 * JSON · `content-type`: 200 and an HTML page · `cut`: the connection is closed.
 */
export const faultKinds = ['error', 'hang', 'slow', 'nonsense', 'content-type', 'cut'] as const;
export type FaultKind = (typeof faultKinds)[number];

export type Fault = {
  kind: FaultKind;
  /** The prefix of the affected paths. */
  path: string;
  /** The number of calls that will fail. */
  count: number;
  /** `after`: LINE processes the call, and the answer fails. */
  when: 'before' | 'after';
  status: number;
  delayMs: number;
};

export class Faults {
  readonly #faults: Fault[] = [];

  add(fault: Fault): void {
    this.#faults.push({ ...fault });
  }

  clear(): void {
    this.#faults.length = 0;
  }

  /** The fault of this call, the earliest first; null: none. */
  take(path: string): Fault | null {
    const index = this.#faults.findIndex((fault) => path.startsWith(fault.path));
    const fault = this.#faults[index];
    if (fault === undefined) return null;
    fault.count -= 1;
    if (fault.count <= 0) this.#faults.splice(index, 1);
    return fault;
  }
}

const answers = {
  error: { type: 'application/json', body: '{"message":"Internal server error"}' },
  nonsense: { type: 'application/json', body: '{"status":"rea' },
  'content-type': { type: 'text/html', body: '<html><body>Under maintenance</body></html>' },
};

/** Fails a call before it is processed. Returns the reply when the call is over, null when the correct answer may follow. */
export async function failBefore(fault: Fault, reply: FastifyReply): Promise<FastifyReply | null> {
  const { kind, status, delayMs } = fault;
  if (kind === 'slow') {
    await pause(delayMs);
    return null;
  }
  if (kind === 'hang' || kind === 'cut') {
    // A hanging connection ends when the caller gives up or the simulator closes.
    reply.hijack();
    if (kind === 'cut') reply.raw.socket?.destroy();
    return reply;
  }
  return reply.send(wrongBody(kind, status, reply));
}

/** Replaces or delays the answer to a processed call. Returns the body to send. */
export async function failAfter(fault: Fault, reply: FastifyReply, payload: unknown): Promise<unknown> {
  const { kind, status, delayMs } = fault;
  if (kind === 'slow') await pause(delayMs);
  if (kind === 'hang') await new Promise((resolve) => reply.raw.once('close', resolve));
  if (kind === 'cut') reply.raw.socket?.destroy();
  if (kind === 'slow' || kind === 'hang' || kind === 'cut') return payload;
  return wrongBody(kind, status, reply);
}

function wrongBody(kind: keyof typeof answers, status: number, reply: FastifyReply): string {
  const { type, body } = answers[kind];
  reply.code(kind === 'error' ? status : 200).type(type);
  return body;
}
