/**
 * The worker: keeps folding until no bot has pending deliveries, then waits to be woken or looks again.
 *
 * Several lanes fold different bots at the same time; several processes may do the same beside one database, because a fold
 * takes the bot's lock or leaves the bot alone. While a bot has more than one batch waiting, the next is read and parsed
 * while the database writes the one before. A batch that fails for a reason of its own (not of the database) is halved down to the
 * one delivery that causes it, which is set aside.
 */

import type { Logger } from 'pino';
import type { Sql } from '../database/client.ts';
import { logFailure } from '../database/outage.ts';
import { botsWithPending, setBundleAside, splitBundle } from '../inbox/inbox.ts';
import type { Random } from '../random.ts';
import type { Clock } from '../time.ts';
import { type Batch, firstHalf, readBatch } from './batch.ts';
import { emptyOutcome, type FoldOutcome, foldBatch } from './process-batch.ts';

export type WorkerOptions = {
  lanes: number;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Told of each batch that folded something. */
  folded(outcome: FoldOutcome, ms: number): void;
};

const batchCountMax = 3_000;
const lookMs = 100;
/**
 * After a fold that left nothing waiting a bot rests four times as long as it took, within bounds: the more comes, the more of it
 * goes into one batch, where messages of one person touch that person's rows once.
 */
const restShare = 4;
const restMsMin = 50;
const restMsMax = 200;
const retryMsMax = 5_000;
const botsLookedAtMax = 1_000;

export class Worker {
  readonly #sql: Sql;
  readonly #options: WorkerOptions;
  readonly #ready = new Set<string>();
  readonly #folding = new Set<string>();
  /** The batches that are being read ahead, by bot. */
  readonly #ahead = new Map<string, Promise<Batch | null>>();
  #stopped = false;
  #failures = 0;
  #signal = Promise.withResolvers<void>();
  #done: Promise<void> | undefined;

  constructor(sql: Sql, options: WorkerOptions) {
    this.#sql = sql;
    this.#options = options;
  }

  /** Starts the lanes. Errors of the database are logged and tried again, with growing pauses. */
  start(): void {
    const lanes = Array.from({ length: this.#options.lanes }, () => this.#lane());
    this.#done = Promise.all([this.#look(), ...lanes]).then(() => undefined);
  }

  /** Tells that the bot has pending deliveries, so that nobody has to look for them. */
  wake(botId: string): void {
    this.#ready.add(botId);
    this.#wakeLanes();
  }

  /** Ends after the batches under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wakeLanes();
    await this.#done;
  }

  /** Finds what other processes have stored, and what a killed fold has given back. */
  async #look(): Promise<void> {
    while (!this.#stopped) {
      try {
        for (const botId of await botsWithPending(this.#sql, botsLookedAtMax)) this.#ready.add(botId);
        if (this.#ready.size > 0) this.#wakeLanes();
        await pause(lookMs);
      } catch (error) {
        await this.#pauseAfter(error);
      }
    }
  }

  async #lane(): Promise<void> {
    while (!this.#stopped) {
      const botId = this.#take();
      if (botId === undefined) {
        await this.#sleep();
        continue;
      }
      try {
        await this.#fold(botId);
        this.#failures = 0;
      } catch (error) {
        this.#release(botId);
        await this.#pauseAfter(error);
      }
    }
  }

  #take(): string | undefined {
    for (const botId of this.#ready) {
      if (this.#folding.has(botId)) continue;
      this.#ready.delete(botId);
      this.#folding.add(botId);
      return botId;
    }
    return undefined;
  }

  async #fold(botId: string): Promise<void> {
    const startedAt = performance.now();
    const batch = await this.#read(botId);
    const outcome = batch ? await this.#foldOrSetAside(batch) : emptyOutcome({});
    if (outcome.deliveries > 0) this.#options.folded(outcome, performance.now() - startedAt);
    if (batch?.more && !outcome.busy) {
      this.#ready.add(botId);
      this.#release(botId);
    } else {
      const restMs = restShare * (performance.now() - startedAt);
      setTimeout(() => this.#release(botId), Math.min(restMsMax, Math.max(restMsMin, restMs))).unref();
    }
  }

  #read(botId: string): Promise<Batch | null> {
    const ahead = this.#ahead.get(botId);
    this.#ahead.delete(botId);
    return ahead ?? readBatch(this.#sql, botId, { countMax: batchCountMax });
  }

  #readAhead({ botId, bundles }: Batch): void {
    const except = bundles.map(({ bundleId }) => bundleId);
    const ahead = readBatch(this.#sql, botId, { countMax: batchCountMax, except });
    this.#ahead.set(botId, ahead);
    // Whoever takes it hears of a failure; nobody may have to.
    ahead.catch(() => undefined);
  }

  async #foldOrSetAside(batch: Batch): Promise<FoldOutcome> {
    const { clock, random, log } = this.#options;
    try {
      // Not sooner: the database would wait for what is worked out while bodies are parsed.
      const workedOut = () => batch.more && this.#readAhead(batch);
      return await foldBatch(this.#sql, batch, { now: clock(), random, workedOut });
    } catch (error) {
      if (!isOfTheBatch(error)) throw error;
      log.error(
        { err: error, botId: batch.botId, bundles: batch.bundles.length },
        'a batch could not be folded',
      );
      return this.#narrow(batch, error);
    }
  }

  async #narrow(batch: Batch, cause: unknown): Promise<FoldOutcome> {
    const { botId, bundles } = batch;
    const [bundle] = bundles;
    if (!bundle) return emptyOutcome({});
    if (bundles.length > 1) {
      this.#ready.add(botId);
      return this.#foldOrSetAside(firstHalf(batch));
    }
    if (bundle.deliveryIds.length > 1) {
      this.#ready.add(botId);
      await splitBundle(this.#sql, botId, bundle.bundleId);
      return emptyOutcome({});
    }
    const reason = `could not be folded: ${cause instanceof Error ? cause.name : 'unknown error'}`;
    const deliveryIds = await setBundleAside(this.#sql, botId, bundle.bundleId, reason);
    const refused = deliveryIds.map((deliveryId) => ({ deliveryId, reason }));
    return emptyOutcome({ deliveries: refused.length, setAside: refused });
  }

  #release(botId: string): void {
    this.#folding.delete(botId);
    this.#wakeLanes();
  }

  #wakeLanes(): void {
    this.#signal.resolve();
    this.#signal = Promise.withResolvers<void>();
  }

  async #sleep(): Promise<void> {
    await Promise.race([this.#signal.promise, pause(lookMs)]);
  }

  async #pauseAfter(error: unknown): Promise<void> {
    this.#failures += 1;
    logFailure(this.#options.log, error, 'folding stopped; trying again');
    await pause(Math.min(retryMsMax, 100 * 2 ** this.#failures));
  }
}

/**
 * True when the data at hand make the fold fail: PostgreSQL's classes 22 and 23, and faults of our own code. Anything else
 * (no connection, no space, a lock, a wrong schema) would hit every batch alike.
 */
function isOfTheBatch(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  return code === null || /^2[23]/.test(code);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
