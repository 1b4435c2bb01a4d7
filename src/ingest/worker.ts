/**
 * The worker: folds batches until no bot has pending deliveries, then waits until it is woken or polls again.
 *
 * A batch takes many bots, so that thousands of bots with a delivery each cost a few transactions. Several worker slots fold different
 * bots at the same time. So can several processes on one database, because a fold takes the lock of each bot or leaves the bot alone.
 * While the database writes a batch, the slot reads ahead (read-ahead.ts). Batches that were read ahead and the other ready bots are
 * folded in turn. A batch whose data fail is narrowed down to the delivery that causes it (narrow-batch.ts).
 */
import type { Logger } from 'pino';
import type { Sql } from '../database/client.ts';
import { botsPerStatement } from '../database/cluster.ts';
import { Poll } from '../database/poll.ts';
import { botsWithPending } from '../inbox/pending.ts';
import type { Random } from '../random.ts';
import type { Clock } from '../time.ts';
import { readBatch } from './batch.ts';
import type { FoldOutcome } from './fold-outcome.ts';
import { foldNarrowing } from './narrow-batch.ts';
import { foldBatch } from './process-batch.ts';
import { type Group, ReadAhead } from './read-ahead.ts';

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
/** The pause after a poll: nine times its duration, within bounds. It takes longer with each bot that has pending deliveries. */
const pollShare = 9;
const pollMs = 100;
const pollMsMax = 500;
/**
 * After a fold that leaves nothing pending, its bots pause for four times the duration of the fold, within bounds. Under load, batches
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
  /** Bots that are folded or pause. True: the bot has been announced since. */
  readonly #heldBots = new Map<string, boolean>();
  /** Bots among them that are folded. Until the commit, the deliveries of their batch look pending. */
  readonly #foldingBots = new Set<string>();
  readonly #ahead = new ReadAhead((botIds, except) => this.#read(botIds, except));
  #isTurnOfReady = true;
  /** Groups of bots that are folded or pause. */
  #groups = 0;
  /** Bots whose batch has failed. They are folded alone, so that they do not make the batches of others fail. */
  readonly #failingBots = new Set<string>();
  /** How many bots a batch may have; undefined before the first one. */
  #botsMax: number | undefined;
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
    await this.#ahead.settled();
  }

  /** Finds deliveries that other processes stored, and those that an interrupted fold left pending. */
  async #findBots(): Promise<number> {
    const startedAt = performance.now();
    const before = new Set(this.#foldingBots);
    for (const botId of await botsWithPending(this.#sql, botsPolledMax)) {
      if (!before.has(botId) && !this.#foldingBots.has(botId)) this.#addReady(botId);
    }
    this.#wakeSlots();
    return Math.min(pollMsMax, Math.max(pollMs, pollShare * (performance.now() - startedAt)));
  }

  /** Folds a batch. Returns the pause of the slot: none after a batch. */
  async #foldAny(isStopped: () => boolean): Promise<number | undefined> {
    this.#botsMax ??= Math.min(batchBotsMax, await botsPerStatement(this.#sql));
    const group = this.#isTurnOfReady
      ? (this.#takeReady(this.#botsMax) ?? this.#ahead.take())
      : (this.#ahead.take() ?? this.#takeReady(this.#botsMax));
    if (!group) return undefined;
    this.#isTurnOfReady = !this.#isTurnOfReady;
    this.#groups += 1;
    await this.#foldGroup(group, isStopped);
    return 0;
  }

  /** Takes a fair share of the ready bots, if a slot is free or a full batch is ready. */
  #takeReady(botsMax: number): Group | undefined {
    const ready = this.#readyBots.size;
    const free = this.#options.slots - this.#groups;
    if (ready === 0 || (free <= 0 && ready < botsMax)) return undefined;
    const share = Math.min(botsMax, Math.ceil(ready / Math.max(1, free)));
    const taken: string[] = [];
    for (const botId of this.#readyBots) {
      const isFailing = this.#failingBots.has(botId);
      if (isFailing && taken.length > 0) continue;
      this.#readyBots.delete(botId);
      this.#failingBots.delete(botId);
      this.#heldBots.set(botId, false);
      this.#foldingBots.add(botId);
      if (taken.push(botId) === share || isFailing) break;
    }
    return this.#read(taken);
  }

  /** Folds the batch of the bots, and reads ahead those that follow it. */
  async #foldGroup({ botIds, reading }: Group, isStopped: () => boolean): Promise<void> {
    const { clock, random, log } = this.#options;
    const startedAt = performance.now();
    let ahead: readonly Group[] = [];
    const dropAhead = (): void => {
      this.#ahead.drop(ahead);
      ahead = [];
    };
    try {
      const batch = await reading;
      const outcome = await foldNarrowing(this.#sql, batch, {
        log,
        fold: (part) =>
          foldBatch(this.#sql, part, {
            ...{ now: clock(), random },
            onFolded: () => {
              if (part.more.length === 0 || isStopped()) return;
              // Not earlier: the database would wait for the fold while bodies are parsed.
              dropAhead();
              ahead = this.#ahead.begin(part);
            },
          }),
        onFailingBot: (botId) => {
          // What was read ahead may contain the bot, and it follows what is left of this batch.
          dropAhead();
          this.#failingBots.add(botId);
          this.#addReady(botId);
        },
      });
      const ms = performance.now() - startedAt;
      if (outcome.deliveries > 0) this.#options.onFold(outcome, ms);
      this.#ahead.add(ahead);
      this.#releaseGroup(botIds, ahead, { more: batch.more, busyBots: outcome.busyBots, ms });
    } catch (error) {
      dropAhead();
      this.#groups -= 1;
      this.#release(botIds);
      throw error;
    }
  }

  #read(botIds: readonly string[], except: readonly number[] = []): Group {
    const reading = readBatch(this.#sql, botIds, { countMax: batchCountMax, except });
    // The promise is awaited later; the handler keeps an early failure from being reported as unhandled.
    reading.catch(() => undefined);
    return { botIds, reading };
  }

  #addReady(botId: string): void {
    if (this.#heldBots.has(botId)) this.#heldBots.set(botId, true);
    else this.#readyBots.add(botId);
  }

  /** Releases the bots whose next batch is not read ahead: at once if more is pending, otherwise after a pause. */
  #releaseGroup(
    botIds: readonly string[],
    ahead: readonly Group[],
    { more, busyBots, ms }: { more: readonly string[]; busyBots: readonly string[]; ms: number },
  ): void {
    const busy = new Set(busyBots);
    const continued = new Set(ahead.flatMap((group) => group.botIds));
    const pending = more.filter((botId) => !busy.has(botId) && !continued.has(botId));
    const held = new Set([...continued, ...pending]);
    for (const botId of botIds) if (!continued.has(botId)) this.#foldingBots.delete(botId);
    const pauseMs = Math.min(pauseMsMax, Math.max(pauseMsMin, pauseShare * ms));
    setTimeout(() => {
      if (held.size === 0) this.#groups -= 1;
      this.#release(botIds.filter((botId) => !held.has(botId)));
    }, pauseMs).unref();
    if (held.size === 0) return;
    for (const botId of pending) this.#heldBots.set(botId, true);
    this.#groups -= 1;
    this.#release(pending);
  }

  #release(botIds: readonly string[]): void {
    for (const botId of botIds) {
      if (this.#heldBots.get(botId)) this.#readyBots.add(botId);
      this.#heldBots.delete(botId);
      this.#foldingBots.delete(botId);
    }
    this.#wakeSlots();
  }

  #wakeSlots(): void {
    if (this.#readyBots.size === 0 && this.#ahead.isEmpty) return;
    for (const slot of this.#slots) slot.wake();
  }
}
