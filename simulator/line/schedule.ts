/** Scheduled actions in order of time; those of one instant in the order in which they were added. */

type Entry = { at: number; run: () => void };

export class Schedule {
  /** The next entry is the last item. */
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

  /** The time of the next entry; null: the schedule is empty. */
  get nextAt(): number | null {
    return this.#entries.at(-1)?.at ?? null;
  }

  /** Removes and returns the next entry at or before the instant; null: there is none. */
  take(until: number): Entry | null {
    const next = this.#entries.at(-1);
    if (next === undefined || next.at > until) return null;
    this.#entries.pop();
    return next;
  }
}
