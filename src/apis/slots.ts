/**
 * How many calls of a kind may run at a time: in all, and of one caller, so that nobody takes them all.
 */
import { Refusal } from '../errors.ts';
import { once } from '../once.ts';

export class Slots {
  readonly #max: number;
  readonly #maxEach: number;
  readonly #taken = new Map<string, number>();

  constructor({ max, maxEach }: { max: number; maxEach: number }) {
    this.#max = max;
    this.#maxEach = maxEach;
  }

  /** Takes a slot; gives what frees it, safe to call twice. Throws TRANSFERS_BUSY when there is none. */
  take(caller: string): () => Promise<void> {
    const own = this.#taken.get(caller) ?? 0;
    const all = [...this.#taken.values()].reduce((sum, count) => sum + count, 0);
    if (own >= this.#maxEach || all >= this.#max) {
      const held = own >= this.#maxEach ? `${own} of this token` : `${all} in all`;
      throw new Refusal('TRANSFERS_BUSY', `As many run as may at a time: ${held}.`);
    }
    this.#taken.set(caller, own + 1);
    return once(async () => this.#free(caller));
  }

  #free(caller: string): void {
    const left = (this.#taken.get(caller) ?? 0) - 1;
    if (left > 0) this.#taken.set(caller, left);
    else this.#taken.delete(caller);
  }
}
