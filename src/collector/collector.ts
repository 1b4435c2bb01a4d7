/**
 * The collector: runs the steps that are due, several at a time, then checks again.
 *
 * Any number of processes can collect for one database, because each step needs the lock of its collection.
 */
import type { Logger } from 'pino';
import { Poll } from '../database/poll.ts';
import { secondMs } from '../time.ts';
import { type CollectParts, collectOne, type Step } from './collect-one.ts';
import { addCollections, dueCollections } from './collections.ts';
import { type CollectionKey, Stopped } from './source.ts';

export type CollectorOptions<Kind extends string = string> = CollectParts<Kind> & {
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Null: all bots. */
  botIds: readonly string[] | null;
};

/** Concurrent calls of one process. */
export const collectWorkers = 4;
const dueMax = 200;
const checkMs = secondMs;
const retryMsMax = 30 * secondMs;

export class Collector<Kind extends string = string> {
  readonly #options: CollectorOptions<Kind>;
  #isStopped = false;
  #poll: Poll | undefined;

  constructor(options: CollectorOptions<Kind>) {
    this.#options = options;
  }

  /** Starts collecting. After an error of the database it logs the error and retries with growing pauses. */
  start(): void {
    const { log, source } = this.#options;
    const options = { name: `collecting ${source.name}'s figures`, pauseMs: checkMs, retryMsMax, log };
    this.#poll = new Poll(() => this.#step(), options);
  }

  /** Cancels running calls. They stay counted and are made again later. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([this.#options.source.close(), this.#poll?.stop()]);
  }

  /**
   * Runs one step of each collection that is due. Returns the number of steps, without collections that other processes have
   * locked. Throws Stopped, and errors of the database.
   */
  async round(): Promise<number> {
    const { sql, source, clock, botIds } = this.#options;
    await addCollections(sql, source, botIds);
    const due = await dueCollections(sql, source, { now: clock(), botIds, limit: dueMax });
    const keys = due.values();
    let count = 0;
    const work = async () => {
      for (const key of keys) {
        if (this.#isStopped) return;
        const step = await collectOne(this.#options, key);
        if (step !== 'busy') count += 1;
        this.#log(key, step);
      }
    };
    const workers = await Promise.allSettled(Array.from({ length: collectWorkers }, work));
    for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
    return count;
  }

  /** Runs a round, and returns 0 if another may be due. */
  async #step(): Promise<number | undefined> {
    try {
      return (await this.round()) > 0 ? 0 : undefined;
    } catch (error) {
      if (error instanceof Stopped) return undefined;
      throw error;
    }
  }

  #log({ botId, kind }: CollectionKey, step: Step): void {
    const { log, source } = this.#options;
    if (step === 'token-refused') {
      log.error(
        { botId, kind },
        `${source.name} refuses the access token: collection is stopped until a new token is set`,
      );
    } else if (step !== 'busy' && step !== 'waiting' && step !== 'answered') {
      log.warn({ botId, kind, failure: step }, `${source.name} call failed`);
    }
  }
}
