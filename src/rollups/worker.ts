/**
 * The worker: keeps folding until no bot has pending deliveries, then waits to be woken or looks again.
 *
 * Several lanes fold different bots at the same time; several processes may do the same beside one database, because a fold
 * takes the bot's lock or leaves the bot alone. A batch that fails for a reason of its own (not of the database) is halved
 * down to the one delivery that causes it, which is set aside.
 */
import type { Logger } from 'pino';
import type { Sql } from '../database/database.ts';
import { botsWithPending, claimDeliveries, setAside } from '../inbox/inbox.ts';
import type { Random } from '../random.ts';
import type { Clock } from '../time.ts';
import { emptyOutcome, type FoldOutcome, foldBatch } from './fold.ts';

export type WorkerOptions = {
  lanes: number;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Told of each batch that folded something. */
  folded(outcome: FoldOutcome, ms: number): void;
};

/** Batches of some hundred: reads beside the fold stay fast, and a batch's fixed cost is spread. */
const batchCountMax = 300;
const lookMs = 100;
/** Deliveries that come within this time of a wake-up go into one batch. */
const gatherMs = 20;
const retryMsMax = 5_000;
const botsLookedAtMax = 1_000;
/** The planner's statistics are renewed after so many events, and each time that has quadrupled. */
const firstAnalysisEvents = 1_000;
const analysisGrowth = 4;

export class Worker {
  readonly #sql: Sql;
  readonly #options: WorkerOptions;
  readonly #ready = new Set<string>();
  readonly #folding = new Set<string>();
  #stopped = false;
  #failures = 0;
  #appended = 0;
  #analysisAt = firstAnalysisEvents;
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
        await this.#rest(error);
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
        await this.#rest(error);
      } finally {
        this.#folding.delete(botId);
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
    const outcome = await this.#foldOrSetAside(botId, batchCountMax);
    if (outcome.deliveries === 0) return;
    this.#options.folded(outcome, performance.now() - startedAt);
    await this.#renewStatistics(outcome.appended);
    // A full batch means that more is waiting; else what has come meanwhile has woken us or will be found by the next look.
    if (outcome.deliveries >= batchCountMax) this.#ready.add(botId);
  }

  /**
   * A server's own analysis may come a minute after the first events of a large account. Until then the planner believes that
   * the tables are as good as empty, and takes whole indexes for single look-ups.
   */
  async #renewStatistics(appended: number): Promise<void> {
    this.#appended += appended;
    if (this.#appended < this.#analysisAt) return;
    this.#analysisAt = this.#appended * analysisGrowth;
    await this.#sql`analyze contacts, events, conversations, deliveries, pending_deliveries`;
  }

  async #foldOrSetAside(botId: string, countMax: number): Promise<FoldOutcome> {
    const { clock, random, log } = this.#options;
    try {
      return await foldBatch(this.#sql, botId, { now: clock(), random, countMax });
    } catch (error) {
      if (!isOfTheBatch(error)) throw error;
      log.error({ err: error, botId, countMax }, 'a batch could not be folded');
      if (countMax > 1) return this.#foldOrSetAside(botId, Math.floor(countMax / 2));
      return setOldestAside(this.#sql, botId, error);
    }
  }

  #wakeLanes(): void {
    this.#signal.resolve();
    this.#signal = Promise.withResolvers<void>();
  }

  async #sleep(): Promise<void> {
    await Promise.race([this.#signal.promise, pause(lookMs)]);
    if (!this.#stopped) await pause(gatherMs);
  }

  async #rest(error: unknown): Promise<void> {
    this.#failures += 1;
    this.#options.log.error({ err: error }, 'folding stopped; trying again');
    await pause(Math.min(retryMsMax, 100 * 2 ** this.#failures));
  }
}

/** Takes the bot's oldest pending delivery out of the way; it can be replayed once its cause is mended. */
async function setOldestAside(sql: Sql, botId: string, cause: unknown): Promise<FoldOutcome> {
  const reason = `could not be folded: ${cause instanceof Error ? cause.name : 'unknown error'}`;
  return sql.begin(async (tx) => {
    const [oldest] = await claimDeliveries(tx, botId, { countMax: 1, bytesMax: 1 });
    const refused = oldest ? [{ deliveryId: oldest.deliveryId, reason }] : [];
    await setAside(tx, botId, refused);
    return emptyOutcome({ deliveries: refused.length, setAside: refused });
  }) as Promise<FoldOutcome>;
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
