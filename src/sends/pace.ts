/**
 * Keeps calls below a number a second. `now` and `wait` in ms.
 */
export class Pace {
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #wait: (ms: number) => Promise<unknown>;
  #secondStartedAt = Number.NEGATIVE_INFINITY;
  #calls = 0;

  constructor(
    perSecond: number,
    { now, wait }: { now: () => number; wait: (ms: number) => Promise<unknown> },
  ) {
    this.#perSecond = perSecond;
    this.#now = now;
    this.#wait = wait;
  }

  /** Resolves when the next call may begin. */
  async take(): Promise<void> {
    for (;;) {
      const now = this.#now();
      if (now - this.#secondStartedAt >= 1_000) [this.#secondStartedAt, this.#calls] = [now, 0];
      if (this.#calls < this.#perSecond) {
        this.#calls += 1;
        return;
      }
      await this.#wait(this.#secondStartedAt + 1_000 - now);
    }
  }
}
