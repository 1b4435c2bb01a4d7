/**
 * The simulated clock of a simulator: the given clock plus the time it was advanced. All scheduled actions up to the clock's time
 * run in order, and webhooks are sent as events happen. Time advances only after all webhooks of a step were answered or failed.
 */
import type { Clock } from '../../src/time.ts';
import { Schedule } from './schedule.ts';

type TimelineOptions = {
  clock: Clock;
  /** The first instant of the simulation, ms; usually in the past. */
  startsAt: number;
  /** Sends the webhooks of the actions that have run. */
  flush(): Promise<void>;
};

export class Timeline {
  readonly schedule = new Schedule();
  readonly #options: TimelineOptions;
  #advancedMs = 0;
  /** All scheduled actions up to this time have run. */
  #reachedAt: number;
  #isRunning = false;
  #lastTask: Promise<unknown> = Promise.resolve();

  constructor(options: TimelineOptions) {
    this.#options = options;
    this.#reachedAt = options.startsAt;
  }

  /** The simulated time, ms. */
  now(): number {
    if (this.#isRunning) return this.#reachedAt;
    return Math.max(this.#reachedAt, this.#options.clock() + this.#advancedMs);
  }

  /**
   * Advances to now plus `ms`. Resolves when the webhooks are sent. The webhooks of a step are sent together at its end. A step
   * is one instant (0) or a longer time, which is faster and less realistic. Concurrent calls run one after the other.
   */
  run(ms = 0, stepMs = 0): Promise<void> {
    return this.inTurn(async () => {
      const target = this.now() + ms;
      this.#isRunning = true;
      const { schedule } = this;
      try {
        for (let at = schedule.nextAt; at !== null && at <= target; at = schedule.nextAt) {
          this.pass(Math.min(target, at + stepMs));
          await this.#options.flush();
        }
        this.#reachedAt = Math.max(this.#reachedAt, target);
        await this.#options.flush();
      } finally {
        this.#isRunning = false;
        this.#advancedMs = Math.max(this.#advancedMs, target - this.#options.clock());
      }
    });
  }

  /** Runs the scheduled actions up to the instant, without sending webhooks. */
  pass(until: number): void {
    for (let next = this.schedule.take(until); next; next = this.schedule.take(until)) {
      this.#reachedAt = Math.max(this.#reachedAt, next.at);
      next.run();
    }
    this.#reachedAt = Math.max(this.#reachedAt, until);
  }

  /** Runs the task after all earlier tasks. */
  inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#lastTask.then(run);
    this.#lastTask = result.catch(() => null);
    return result;
  }
}
