/**
 * The collector: does the steps that are due, some beside each other, then looks again.
 *
 * Any number of processes may collect beside one database, because a step takes the lock of its collection or leaves it
 * alone.
 */

import type { Logger } from 'pino';
import { Poll } from '../../database/poll.ts';
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
  #poll: Poll | undefined;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Starts collecting. Errors of the database are logged and tried again, with growing pauses. */
  start(): void {
    const step = () => this.#step();
    this.#poll = new Poll(step, {
      name: "collecting LINE's figures",
      pauseMs: lookMs,
      retryMsMax: restMsMax,
      log: this.#options.log,
    });
  }

  /** Gives up the calls under way: they stay counted, and are made again another time. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#options.line.close(), this.#poll?.stop()]);
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

  /** Does a round, and returns 0 if another may be due. */
  async #step(): Promise<number | undefined> {
    try {
      return (await this.round()) > 0 ? 0 : undefined;
    } catch (error) {
      if (error instanceof Stopped) return undefined;
      throw error;
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
}
