/**
 * The collector: does the steps that are due, some beside each other, then looks again.
 *
 * Any number of processes may collect beside one database, because a step takes the lock of its collection or leaves it
 * alone.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { logFailure } from '../../database/outage.ts';
import { secondMs } from '../../time.ts';
import { type CollectParts, collectOne, type Step } from './collect-one.ts';
import { addCollections, dueCollections } from './collections.ts';
import { Stopped } from './line-client.ts';
import type { CollectionKey } from './questions.ts';

export type CollectorOptions = CollectParts & {
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Null: all bots. */
  botIds: readonly string[] | null;
};

/** Calls that one process makes at the same time. */
export const collectLanes = 4;
const dueMax = 200;
const lookMs = secondMs;
const restMsMax = 30 * secondMs;

export class Collector {
  readonly #options: CollectorOptions;
  #stopped = false;
  #wake = new AbortController();
  #failures = 0;
  #done: Promise<void> | undefined;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Starts collecting. Errors of the database are logged and tried again, with growing pauses. */
  start(): void {
    this.#done = this.#run();
  }

  /** Gives up the calls under way: they stay counted, and are made again another time. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake.abort();
    await this.#options.line.close();
    await this.#done;
  }

  /**
   * Does one step of each collection that is due; gives how many were done, those that other processes have not among them.
   * Throws Stopped, and errors of the database.
   */
  async round(): Promise<number> {
    const { sql, clock, botIds } = this.#options;
    await addCollections(sql, botIds);
    const due = await dueCollections(sql, { now: clock(), botIds, limit: dueMax });
    const waiting = due.values();
    let done = 0;
    const lane = async () => {
      for (const key of waiting) {
        if (this.#stopped) return;
        const step = await collectOne(this.#options, key);
        if (step !== 'busy') done += 1;
        this.#tell(key, step);
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: collectLanes }, lane));
    for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
    return done;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        const steps = await this.round();
        this.#failures = 0;
        if (steps === 0) await this.#pause(lookMs);
      } catch (error) {
        if (error instanceof Stopped) return;
        this.#failures += 1;
        logFailure(this.#options.log, error, 'collecting stopped; trying again');
        await this.#pause(Math.min(restMsMax, secondMs * 2 ** Math.min(this.#failures, 10)));
      }
    }
  }

  #tell({ botId, kind }: CollectionKey, step: Step): void {
    if (step === 'token-refused') {
      this.#options.log.error(
        { botId },
        'LINE refuses the access token: collecting stops until it is set anew',
      );
    } else if (step !== 'busy' && step !== 'waiting' && step !== 'answered') {
      this.#options.log.warn({ botId, kind, failure: step }, 'LINE was asked and gave no answer that counts');
    }
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#wake.signal }).catch(() => undefined);
  }
}
