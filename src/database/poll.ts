/**
 * The loop of background work: runs a step, pauses, and backs off while the step fails.
 */
import type { Logger } from 'pino';
import { secondMs } from '../time.ts';
import { logFailure } from './outage.ts';

export type PollOptions = {
  /** For the log: `webhook dispatch` failed. */
  name: string;
  /** The pause after a step. */
  pauseMs: number;
  /** The longest pause after failures in a row. Pauses start at 200 ms and double. Default: always `pauseMs`. */
  retryMsMax?: number;
  log: Pick<Logger, 'error'>;
};

/** A step returns its own pause (ms; 0: none), or nothing for the usual one. A long step ends early if `isStopped` returns true. */
export type PollStep = (isStopped: () => boolean) => Promise<number | undefined> | Promise<void>;

const firstRetryMs = 200;

export class Poll {
  readonly #options: PollOptions;
  readonly #running: Promise<void>;
  #wakeUp = Promise.withResolvers<void>();
  #isRetrying = false;
  #isStopped = false;

  /** Runs the first step at once. */
  constructor(step: PollStep, options: PollOptions) {
    this.#options = options;
    this.#running = this.#run(step);
  }

  /** Ends the current pause, or skips the next one if a step is running. Does not shorten a pause after a failure. */
  wake(): void {
    if (!this.#isRetrying) this.#wakeUp.resolve();
  }

  /** Waits for the running step. Safe to call twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wakeUp.resolve();
    await this.#running;
  }

  async #run(step: PollStep): Promise<void> {
    const { name, pauseMs, retryMsMax, log } = this.#options;
    for (let failures = 0; !this.#isStopped; ) {
      let ms = pauseMs;
      try {
        ms = (await step(() => this.#isStopped)) ?? pauseMs;
        failures = 0;
      } catch (error) {
        if (retryMsMax !== undefined) ms = Math.min(retryMsMax, firstRetryMs * 2 ** failures);
        failures += 1;
        logFailure(log, error, `${name} failed, retrying in ${ms / secondMs} s`);
      }
      if (ms > 0) await this.#pause(ms, failures > 0);
    }
  }

  async #pause(ms: number, isRetrying: boolean): Promise<void> {
    if (isRetrying && !this.#isStopped) this.#wakeUp = Promise.withResolvers();
    this.#isRetrying = isRetrying;
    const timer = setTimeout(this.#wakeUp.resolve, ms).unref();
    await this.#wakeUp.promise;
    clearTimeout(timer);
    this.#isRetrying = false;
    this.#wakeUp = Promise.withResolvers();
  }
}
