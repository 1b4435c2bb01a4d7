/**
 * Failures on demand: the next calls of an address are answered wrong, late or not at all; before LINE has done what was
 * asked, or after it, so that only the answer is lost.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';

/**
 * `error`: the status (500) · `hang`: no answer at all · `slow`: the true answer after `delayMs` · `nonsense`: 200 and half a
 * JSON text · `content-type`: 200 and a page of HTML · `cut`: the connection ends.
 */
export const faultKinds = ['error', 'hang', 'slow', 'nonsense', 'content-type', 'cut'] as const;
export type FaultKind = (typeof faultKinds)[number];

export type Fault = {
  kind: FaultKind;
  /** The calls whose path begins so. */
  path: string;
  /** So many of them. */
  count: number;
  /** `after`: LINE does what was asked, and the answer fails. */
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

  list(): readonly Fault[] {
    return this.#faults;
  }

  /** The fault that this call meets, the earliest set first; null: none. */
  take(path: string): Fault | null {
    const place = this.#faults.findIndex((fault) => path.startsWith(fault.path));
    const fault = this.#faults[place];
    if (fault === undefined) return null;
    fault.count -= 1;
    if (fault.count <= 0) this.#faults.splice(place, 1);
    return fault;
  }
}

const answers = {
  error: { type: 'application/json', body: '{"message":"Internal server error"}' },
  nonsense: { type: 'application/json', body: '{"status":"rea' },
  'content-type': { type: 'text/html', body: '<html><body>Under maintenance</body></html>' },
};

/** Answers a call in place of LINE. Gives the reply when it is answered or given up, null when the true answer may follow. */
export async function failBefore(fault: Fault, reply: FastifyReply): Promise<FastifyReply | null> {
  const { kind, status, delayMs } = fault;
  if (kind === 'slow') {
    await pause(delayMs);
    return null;
  }
  if (kind === 'hang' || kind === 'cut') {
    // A connection that hangs ends with the caller's patience, or with the sandbox.
    reply.hijack();
    if (kind === 'cut') reply.raw.socket?.destroy();
    return reply;
  }
  const { type, body } = answers[kind];
  return reply
    .code(kind === 'error' ? status : 200)
    .type(type)
    .send(body);
}

/** Spoils the answer to a call that was done. Gives the body to send. */
export async function failAfter(fault: Fault, reply: FastifyReply, payload: unknown): Promise<unknown> {
  const { kind, status, delayMs } = fault;
  if (kind === 'slow') await pause(delayMs);
  if (kind === 'hang') await new Promise((resolve) => reply.raw.once('close', resolve));
  if (kind === 'cut') reply.raw.socket?.destroy();
  if (kind === 'slow' || kind === 'hang' || kind === 'cut') return payload;
  const { type, body } = answers[kind];
  reply.code(kind === 'error' ? status : 200).type(type);
  return body;
}
