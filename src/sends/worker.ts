/**
 * Looks for due sends and works on their lanes, a few at a time.
 */
import type { Logger } from 'pino';
import { logFailure } from '../database/outage.ts';
import { Poll } from '../database/poll.ts';
import { once } from '../once.ts';
import { secondMs } from '../time.ts';
import { type JobOptions, workLane } from './job.ts';
import { type Lane, lanesWithDue } from './lanes.ts';

export type WorkerOptions = Omit<JobOptions, 'isStopped'> & { log: Pick<Logger, 'error'> };

const lookMs = secondMs;
const retryMsMax = 10 * secondMs;
const lanesMax = 16;
const looksMax = 100;

export class SendWorker {
  readonly #options: WorkerOptions;
  readonly #running = new Map<string, Promise<void>>();
  #poll: Poll | undefined;
  #isStopped = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  start(): void {
    const { log } = this.#options;
    this.#poll = new Poll(() => this.#look(), {
      name: 'the look-up of sends',
      pauseMs: lookMs,
      retryMsMax,
      log,
    });
  }

  /** Waits for running calls to platforms; the rest of the sends continues in another process. Safe to call twice. */
  readonly stop = once(async () => {
    this.#isStopped = true;
    await this.#poll?.stop();
    await Promise.all(this.#running.values());
  });

  async #look(): Promise<void> {
    const { sql, clock } = this.#options;
    for (const lane of await lanesWithDue(sql, { now: clock(), limit: looksMax })) {
      if (this.#isStopped || this.#running.size >= lanesMax) return;
      this.#begin(lane);
    }
  }

  #begin(lane: Lane): void {
    const name = `${lane.botId} ${lane.platform}`;
    if (this.#running.has(name)) return;
    const { log } = this.#options;
    const work = workLane(lane, { ...this.#options, isStopped: () => this.#isStopped })
      .catch((error: unknown) => logFailure(log, error, 'sends failed, and continue later'))
      .then(() => void this.#running.delete(name));
    this.#running.set(name, work);
  }
}
