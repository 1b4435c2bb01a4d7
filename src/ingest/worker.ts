/**
 * The worker: folds batches until no bot has pending deliveries, then waits until it is woken or polls again.
 *
 * Several worker slots fold different bots at the same time. So can several processes on one database, because a fold takes the bot's
 * lock or leaves the bot alone. While a bot has more than one batch pending, the process reads and parses the next one while the
 * database writes the current one. A batch whose data fail is narrowed down to the delivery that causes it (narrow-batch.ts).
 */
import type { Logger } from 'pino';
import type { Sql } from '../database/client.ts';
import { Poll } from '../database/poll.ts';
import { botsWithPending } from '../inbox/inbox.ts';
import type { Random } from '../random.ts';
import type { Clock } from '../time.ts';
import { type Batch, readBatch } from './batch.ts';
import { isFailureOfData, narrowBatch } from './narrow-batch.ts';
import { type FoldOutcome, foldBatch, outcomeOf } from './process-batch.ts';

export type WorkerOptions = {
  /** How many bots are folded at the same time. */
  slots: number;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Called after each batch with deliveries. */
  onFold(outcome: FoldOutcome, ms: number): void;
};

const batchCountMax = 3_000;
const pollMs = 100;
/**
 * After a fold that leaves nothing pending, a bot pauses for four times the duration of the fold, within bounds. Under load, batches
 * so become larger, and messages of one person in a batch touch that person's rows once.
 */
const pauseShare = 4;
const pauseMsMin = 50;
const pauseMsMax = 200;
const retryMsMax = 5_000;
const botsPolledMax = 1_000;

export class Worker {
  readonly #sql: Sql;
  readonly #options: WorkerOptions;
  readonly #readyBots = new Set<string>();
  readonly #foldingBots = new Set<string>();
  /** The batches that are read ahead, by bot. */
  readonly #nextBatches = new Map<string, Promise<Batch | null>>();
  #poll: Poll | undefined;
  #slots: readonly Poll[] = [];

  constructor(sql: Sql, options: WorkerOptions) {
    this.#sql = sql;
    this.#options = options;
  }

  /** Starts the slots. Database errors are logged and retried, with growing pauses. */
  start(): void {
    const { slots, log } = this.#options;
    const options = { pauseMs: pollMs, retryMsMax, log };
    this.#slots = Array.from(
      { length: slots },
      () => new Poll(() => this.#foldAny(), { name: 'folding', ...options }),
    );
    this.#poll = new Poll(() => this.#findBots(), { name: 'the look-up of pending deliveries', ...options });
  }

  /** Announces that the bot has pending deliveries, so that the worker does not have to poll for them. */
  wake(botId: string): void {
    this.#readyBots.add(botId);
    this.#wakeSlots();
  }

  /** Ends after the running batches. */
  async stop(): Promise<void> {
    await Promise.all([this.#poll, ...this.#slots].map((poll) => poll?.stop()));
  }

  /** Finds deliveries that other processes stored, and those that an interrupted fold left pending. */
  async #findBots(): Promise<void> {
    for (const botId of await botsWithPending(this.#sql, botsPolledMax)) this.#readyBots.add(botId);
    if (this.#readyBots.size > 0) this.#wakeSlots();
  }

  /** Folds the next batch of any ready bot. Returns the pause of the slot: none after a batch. */
  async #foldAny(): Promise<number | undefined> {
    const botId = this.#takeBot();
    if (botId === undefined) return undefined;
    try {
      await this.#foldNext(botId);
      return 0;
    } catch (error) {
      this.#releaseBot(botId);
      throw error;
    }
  }

  #takeBot(): string | undefined {
    for (const botId of this.#readyBots) {
      if (this.#foldingBots.has(botId)) continue;
      this.#readyBots.delete(botId);
      this.#foldingBots.add(botId);
      return botId;
    }
    return undefined;
  }

  async #foldNext(botId: string): Promise<void> {
    const startedAt = performance.now();
    const batch = await this.#takeBatch(botId);
    const outcome = batch ? await this.#fold(batch) : outcomeOf({});
    if (outcome.deliveries > 0) this.#options.onFold(outcome, performance.now() - startedAt);
    if (batch?.more && !outcome.busy) {
      this.#readyBots.add(botId);
      this.#releaseBot(botId);
    } else {
      const pauseMs = pauseShare * (performance.now() - startedAt);
      setTimeout(() => this.#releaseBot(botId), Math.min(pauseMsMax, Math.max(pauseMsMin, pauseMs))).unref();
    }
  }

  #takeBatch(botId: string): Promise<Batch | null> {
    const next = this.#nextBatches.get(botId);
    this.#nextBatches.delete(botId);
    return next ?? readBatch(this.#sql, botId, { countMax: batchCountMax });
  }

  #readAhead({ botId, bundles }: Batch): void {
    const except = bundles.map(({ bundleId }) => bundleId);
    const next = readBatch(this.#sql, botId, { countMax: batchCountMax, except });
    this.#nextBatches.set(botId, next);
    // The promise is awaited later; the handler keeps an early failure from being reported as unhandled.
    next.catch(() => undefined);
  }

  async #fold(batch: Batch): Promise<FoldOutcome> {
    const { clock, random, log } = this.#options;
    try {
      // Not earlier: the database would wait for the fold while bodies are parsed.
      const onFolded = () => batch.more && this.#readAhead(batch);
      return await foldBatch(this.#sql, batch, { now: clock(), random, onFolded });
    } catch (error) {
      if (!isFailureOfData(error)) throw error;
      log.error(
        { err: error, botId: batch.botId, bundles: batch.bundles.length },
        'a batch could not be folded',
      );
      this.#readyBots.add(batch.botId);
      const narrowed = await narrowBatch(this.#sql, batch, error);
      return 'outcome' in narrowed ? narrowed.outcome : this.#fold(narrowed.batch);
    }
  }

  #releaseBot(botId: string): void {
    this.#foldingBots.delete(botId);
    this.#wakeSlots();
  }

  #wakeSlots(): void {
    for (const slot of this.#slots) slot.wake();
  }
}
