/** What is still to happen, in order of time; things of one instant in the order in which they were added. */

type Entry = { at: number; run: () => void };

export class Agenda {
  /** The next one last. */
  readonly #entries: Entry[] = [];

  add(at: number, run: () => void): void {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.at > at) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, { at, run });
  }

  /** When the next thing is to happen; null: nothing is. */
  get nextAt(): number | null {
    return this.#entries.at(-1)?.at ?? null;
  }

  /** Takes out the next thing at or before the instant; null: there is none. */
  take(until: number): Entry | null {
    const next = this.#entries.at(-1);
    if (next === undefined || next.at > until) return null;
    this.#entries.pop();
    return next;
  }
}
