/**
 * Calls that wait, each with a function that fails it. Adding and removing take constant time.
 *
 * An array, not a Set. V8 links the replaced tables of a Set that grows and shrinks all the time. Ended calls with their requests
 * then survive every collection of young objects, and such a collection takes several times as long.
 */

export type WaitingCall = { readonly fail: (error: unknown) => void };

type Entry = WaitingCall & { index: number };

export class WaitingCalls {
  readonly #entries: Entry[] = [];

  get count(): number {
    return this.#entries.length;
  }

  add(fail: (error: unknown) => void): WaitingCall {
    const entry: Entry = { fail, index: this.#entries.length };
    this.#entries.push(entry);
    return entry;
  }

  /** Safe to repeat. */
  remove(call: WaitingCall): void {
    const { index } = call as Entry;
    if (this.#entries[index] !== call) return;
    const last = this.#entries.pop();
    if (last === undefined || last === call) return;
    this.#entries[index] = last;
    last.index = index;
  }

  /** Fails all calls. `fail` may remove its call. */
  failAll(error: Error): void {
    for (const { fail } of [...this.#entries]) fail(error);
  }
}
