/**
 * Background work of many bots, such as sends: one look finds what is due, and some of it is worked on at the same time.
 */
import type { Logger } from 'pino';
import { once } from '../once.ts';
import { type Clock, secondMs } from '../time.ts';
import { logFailure } from './outage.ts';
import { Poll } from './poll.ts';

export type Due<Item> = {
  item: Item /** Each key is worked on once at a time. */;
  key: string;
  dueAt: number;
};

export type DueWorkOptions<Item> = {
  /** For the log: `sends` failed. */
  name: string;
  atOnce: number;
  /** The longest pause between two looks (ms). */
  lookMs: number;
  /** What is due now or next, in this order. Another process may work on it. */
  look(): Promise<readonly Due<Item>[]>;
  /** Returns true to look again at once. A failure is logged, and the item is found again when it is due. */
  work(item: Item, isStopped: () => boolean): Promise<boolean>;
  clock: Clock;
  log: Pick<Logger, 'error'>;
};

const retryMsMax = 10 * secondMs;

export class DueWork<Item> {
  readonly #options: DueWorkOptions<Item>;
  readonly #running = new Map<string, Promise<void>>();
  readonly #poll: Poll;
  #isStopped = false;

  /** Looks at once. */
  constructor(options: DueWorkOptions<Item>) {
    this.#options = options;
    const { name, lookMs: pauseMs, log } = options;
    this.#poll = new Poll(() => this.#look(), { name: `the look-up of ${name}`, pauseMs, retryMsMax, log });
  }

  /** Waits for running work. Safe to call twice. */
  readonly stop = once(async () => {
    this.#isStopped = true;
    await this.#poll.stop();
    await Promise.all(this.#running.values());
  });

  /** Returns the pause until the next look. Work that ends may look earlier. */
  async #look(): Promise<number> {
    const { look, clock, atOnce, lookMs } = this.#options;
    for (const { item, key, dueAt } of await look()) {
      if (this.#isStopped || this.#running.size >= atOnce) break;
      if (this.#running.has(key)) continue;
      const waitMs = dueAt - clock();
      if (waitMs > 0) return Math.min(waitMs, lookMs);
      this.#begin(key, item);
    }
    return lookMs;
  }

  #begin(key: string, item: Item): void {
    const { work, log, name } = this.#options;
    const running = work(item, () => this.#isStopped)
      .catch((error: unknown) => logFailure(log, error, `${name} failed, and continue later`))
      .then((looksAgain) => {
        this.#running.delete(key);
        if (looksAgain) this.#poll.wake();
      });
    this.#running.set(key, running);
  }
}
