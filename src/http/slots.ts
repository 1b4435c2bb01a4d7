/**
 * Bounds the number of concurrent calls of a kind: in all, and for each caller and each bot, so that none of them uses all slots.
 */
import type { FastifyReply } from 'fastify';
import { Refusal } from '../errors.ts';
import { once } from '../once.ts';

export class Slots {
  readonly #max: number;
  readonly #maxEach: number;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor({ max, maxEach }: { max: number; maxEach: number }) {
    this.#max = max;
    this.#maxEach = maxEach;
  }

  /**
   * Takes a slot for a call of all these holders, by kind (`token`, `bot`, `visitor`). Returns a function that frees it and is
   * safe to call twice. Throws Refusal TRANSFERS_BUSY when no slot is free.
   */
  take(holders: Readonly<Record<string, string>>): () => Promise<void> {
    const keys = Object.entries(holders).map(([kind, id]) => ({ kind, key: `${kind} ${id}` }));
    const full = keys.find(({ key }) => this.#countOf(key) >= this.#maxEach);
    if (full !== undefined || this.#all >= this.#max) {
      const running = full ? `${this.#countOf(full.key)} of this ${full.kind}` : `${this.#all} in all`;
      throw new Refusal('TRANSFERS_BUSY', `Too many transfers at a time: ${running}.`);
    }
    for (const { key } of keys) this.#taken.set(key, this.#countOf(key) + 1);
    this.#all += 1;
    return once(async () => {
      this.#all -= 1;
      for (const { key } of keys) this.#free(key);
    });
  }

  /** Takes a slot until the answer is sent or its client disconnects. */
  takeForAnswer(reply: FastifyReply, holders: Readonly<Record<string, string>>): void {
    const free = this.take(holders);
    reply.raw.once('finish', free).once('close', free);
  }

  #countOf(key: string): number {
    return this.#taken.get(key) ?? 0;
  }

  #free(key: string): void {
    const count = this.#countOf(key) - 1;
    if (count > 0) this.#taken.set(key, count);
    else this.#taken.delete(key);
  }
}
