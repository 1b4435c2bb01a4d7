/**
 * The worker: folds batches until no bot has pending deliveries, then waits until it is woken or polls again.
 *
 * A batch takes many bots, so that thousands of bots with a delivery each cost a few transactions. Several worker slots fold different
 * bots at the same time. So can several processes on one database, because a fold takes the lock of each bot or leaves the bot alone.
 * While its bots have more deliveries pending than a batch holds, a slot reads and parses the next batch while the database writes the
 * current one. A batch whose data fail is narrowed down to the delivery that causes it (narrow-batch.ts).
 */
import type { Logger } from 'pino';
import type { Sql } from '../database/client.ts';
import { Poll } from '../database/poll.ts';
import { botsWithPending } from '../inbox/pending.ts';
import type { Random } from '../random.ts';
import type { Clock } from '../time.ts';
import { type Batch, readBatch } from './batch.ts';
import type { FoldOutcome } from './fold-outcome.ts';
import { foldNarrowing } from './narrow-batch.ts';
import { foldBatch } from './process-batch.ts';

export type WorkerOptions = {
  /** How many batches are folded at the same time. */
  slots: number;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Called after each batch with deliveries. */
  onFold(outcome: FoldOutcome, ms: number): void;
};

const batchCountMax = 3_000;
/** The bots of a batch: enough to make the fixed cost of a transaction small, and few enough to hold their locks only briefly. */
const batchBotsMax = 500;
const pollMs = 100;
/**
 * After a fold that leaves nothing pending, its bots pause for four times the duration of the fold, within bounds. Under load, batches
 * so become larger, and messages of one person in a batch touch that person's rows once.
 */
const pauseShare = 4;
const pauseMsMin = 50;
const pauseMsMax = 200;
const retryMsMax = 5_000;
const botsPolledMax = 1_000;

/** Bots whose next batch is being read. */
type Group = { botIds: readonly string[]; reading: Promise<Batch> };

export class Worker {
  readonly #sql: Sql;
  readonly #options: WorkerOptions;
  readonly #readyBots = new Set<string>();
  /** Bots that are folded or pause. True: the bot has been announced since. */
  readonly #heldBots = new Map<string, boolean>();
  /** Groups of bots that are folded or pause. */
  #groups = 0;
  /** Bots whose batch has failed. They are folded alone, so that they do not make the batches of others fail. */
  readonly #failingBots = new Set<string>();
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
      () => new Poll((isStopped) => this.#foldAny(isStopped), { name: 'folding', ...options }),
    );
    this.#poll = new Poll(() => this.#findBots(), { name: 'the look-up of pending deliveries', ...options });
  }

  /** Announces that the bot has pending deliveries, so that the worker does not have to poll for them. */
  wake(botId: string): void {
    this.#addReady(botId);
    this.#wakeSlots();
  }

  /** Ends after the running batches. */
  async stop(): Promise<void> {
    await Promise.all([this.#poll, ...this.#slots].map((poll) => poll?.stop()));
  }

  /** Finds deliveries that other processes stored, and those that an interrupted fold left pending. */
  async #findBots(): Promise<void> {
    for (const botId of await botsWithPending(this.#sql, botsPolledMax)) this.#addReady(botId);
    this.#wakeSlots();
  }

  /** Folds ready bots until none of them has more. Returns the pause of the slot: none after a batch. */
  async #foldAny(isStopped: () => boolean): Promise<number | undefined> {
    const botIds = this.#takeBots();
    if (botIds.length === 0) return undefined;
    let group: Group | null = { botIds, reading: readBatch(this.#sql, botIds, { countMax: batchCountMax }) };
    while (group !== null) group = await this.#foldGroup(group, isStopped);
    return 0;
  }

  /** Takes a fair share of the ready bots, if a slot is free or a full batch is ready. */
  #takeBots(): string[] {
    const ready = this.#readyBots.size;
    const free = this.#options.slots - this.#groups;
    if (ready === 0 || (free <= 0 && ready < batchBotsMax)) return [];
    const share = Math.min(batchBotsMax, Math.ceil(ready / Math.max(1, free)));
    const taken: string[] = [];
    for (const botId of this.#readyBots) {
      const isFailing = this.#failingBots.has(botId);
      if (isFailing && taken.length > 0) continue;
      this.#readyBots.delete(botId);
      this.#failingBots.delete(botId);
      this.#heldBots.set(botId, false);
      if (taken.push(botId) === share || isFailing) break;
    }
    this.#groups += 1;
    return taken;
  }

  /** Folds the next batch of the bots. Returns those with further batches, if no other bot waits; otherwise null. */
  async #foldGroup({ botIds, reading }: Group, isStopped: () => boolean): Promise<Group | null> {
    const { clock, random, log } = this.#options;
    const startedAt = performance.now();
    let next: Group | null = null;
    try {
      const batch = await reading;
      const outcome = await foldNarrowing(this.#sql, batch, {
        log,
        fold: (part) =>
          foldBatch(this.#sql, part, {
            ...{ now: clock(), random },
            onFolded: () => {
              // Not earlier: the database would wait for the fold while bodies are parsed.
              if (part.more.length > 0 && this.#readyBots.size === 0 && !isStopped())
                next = this.#readAhead(part);
            },
          }),
        onFailingBot: (botId) => {
          this.#failingBots.add(botId);
          this.#addReady(botId);
        },
      });
      const ms = performance.now() - startedAt;
      if (outcome.deliveries > 0) this.#options.onFold(outcome, ms);
      this.#releaseGroup(botIds, next, { more: batch.more, busyBots: outcome.busyBots, ms });
      return next;
    } catch (error) {
      this.#groups -= 1;
      this.#release(botIds);
      throw error;
    }
  }

  #readAhead({ bots, more }: Batch): Group {
    const except = bots.flatMap(({ bundles }) => bundles.map(({ bundleId }) => bundleId));
    const reading = readBatch(this.#sql, more, { countMax: batchCountMax, except });
    // The promise is awaited later; the handler keeps an early failure from being reported as unhandled.
    reading.catch(() => undefined);
    return { botIds: more, reading };
  }

  #addReady(botId: string): void {
    if (this.#heldBots.has(botId)) this.#heldBots.set(botId, true);
    else this.#readyBots.add(botId);
  }

  /** Releases the bots without a next batch: at once if more is pending, otherwise after a pause. */
  #releaseGroup(
    botIds: readonly string[],
    next: Group | null,
    { more, busyBots, ms }: { more: readonly string[]; busyBots: readonly string[]; ms: number },
  ): void {
    const busy = new Set(busyBots);
    const pending = new Set(more.filter((botId) => !busy.has(botId)));
    const continued = new Set(next?.botIds);
    const pauseMs = Math.min(pauseMsMax, Math.max(pauseMsMin, pauseShare * ms));
    const done = botIds.filter((botId) => !continued.has(botId) && !pending.has(botId));
    const isLast = next === null && pending.size === 0;
    setTimeout(() => {
      if (isLast) this.#groups -= 1;
      this.#release(done);
    }, pauseMs).unref();
    if (next !== null || isLast) return;
    for (const botId of pending) this.#heldBots.set(botId, true);
    this.#groups -= 1;
    this.#release([...pending]);
  }

  #release(botIds: readonly string[]): void {
    for (const botId of botIds) {
      if (this.#heldBots.get(botId)) this.#readyBots.add(botId);
      this.#heldBots.delete(botId);
    }
    this.#wakeSlots();
  }

  #wakeSlots(): void {
    if (this.#readyBots.size === 0) return;
    for (const slot of this.#slots) slot.wake();
  }
}
