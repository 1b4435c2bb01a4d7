/**
 * Batches: items that arrive while batches are in work wait together and share the next one. The cost of an item therefore falls
 * under load. Each caller gets the result of its own item after its batch.
 *
 * Count, bytes and time are bounded. An item beyond a bound is refused.
 */

/** A bound that is left out does not exist. */
export type BatcherOptions<Item> = {
  /** Batches in work at once. */
  runsMax: number;
  /** While a batch is in work and not slow, another one begins only with as many waiting items. */
  parallelCountMin?: number;
  /** A batch that takes longer than `afterMs` makes room for another one, up to `runsMax` of all. */
  slow?: { afterMs: number; runsMax: number };
  /** Items in one batch. */
  batchCountMax: number;
  /** Of several items in one batch; a larger item makes a batch of its own. */
  batchBytesMax?: number;
  /** Items that wait. */
  waitingCountMax?: number;
  /** Of the items that wait or are in work. */
  bytesMax?: number;
  bytesOf?: (item: Item) => number;
  /** From the arrival of an item to its result. A late item that has not begun is never worked on. */
  waitMsMax?: number;
  monotonicMs?: () => number;
  /** The error of a refused item. */
  refusal?: (reason: 'full' | 'late') => Error;
  /** False: a batch begins at once, without the items that arrive in the same turn of the event loop. */
  gathers?: boolean;
  /** Called when no item waits or is in work any more. */
  idle?: () => void;
};

type Waiting<Item, Result> = {
  item: Item;
  bytes: number;
  deadline: number;
  resolve(result: Result): void;
  reject(reason: unknown): void;
};

const sweepMs = 250;

export class Batcher<Item, Result> {
  readonly #work: (items: Item[]) => Promise<readonly (Result | Error)[]>;
  readonly #options: BatcherOptions<Item>;
  #waiting: Waiting<Item, Result>[] = [];
  /** Not a Set: ended items would survive collections of young objects (see WaitingCalls). */
  #running: readonly (readonly Waiting<Item, Result>[])[] = [];
  #bytes = 0;
  #runs = 0;
  #slowRuns = 0;
  #drained = Promise.withResolvers<void>();
  #sweep: NodeJS.Timeout | undefined;

  /** `work` returns a result for each item, in their order; an Error rejects its item. If `work` rejects, all items do. */
  constructor(work: (items: Item[]) => Promise<readonly (Result | Error)[]>, options: BatcherOptions<Item>) {
    this.#work = work;
    this.#options = options;
  }

  /** Of the items that wait or are in work. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves with the item's result after its batch. */
  put(item: Item): Promise<Result> {
    const { waitingCountMax = Infinity, bytesMax = Infinity, waitMsMax = Infinity } = this.#options;
    const bytes = this.#options.bytesOf?.(item) ?? 0;
    if (this.#waiting.length >= waitingCountMax || this.#bytes + bytes > bytesMax) {
      return Promise.reject(this.#refusal('full'));
    }
    this.#bytes += bytes;
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const deadline = waitMsMax === Infinity ? Infinity : this.#monotonicMs() + waitMsMax;
    this.#waiting.push({ item, bytes, deadline, resolve, reject });
    this.#start();
    return promise;
  }

  /** Resolves when no item waits or is in work. */
  async drain(): Promise<void> {
    while (this.#runs > 0) await this.#drained.promise;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #start(): void {
    const { runsMax, parallelCountMin = 1, slow, waitMsMax, gathers = true } = this.#options;
    const promptRuns = this.#runs - this.#slowRuns;
    if (this.#waiting.length < (promptRuns > 0 ? parallelCountMin : 1)) return;
    if (promptRuns >= runsMax || this.#runs >= (slow?.runsMax ?? runsMax)) return;
    if (waitMsMax !== undefined) this.#sweep ??= setInterval(() => this.#refuseLate(), sweepMs).unref();
    this.#runs += 1;
    // After the current turn of the event loop, so that its items share the batch.
    if (gathers) setImmediate(() => this.#run());
    else void this.#run();
  }

  async #run(): Promise<void> {
    const batch = this.#takeBatch();
    this.#running = [...this.#running, batch];
    const { slow } = this.#options;
    let slowRuns = 0;
    const timer =
      slow &&
      setTimeout(() => {
        slowRuns = 1;
        this.#slowRuns += 1;
        this.#start();
      }, slow.afterMs);
    if (batch.length > 0) await this.#settle(batch);
    clearTimeout(timer);
    for (const { bytes } of batch) this.#bytes -= bytes;
    this.#running = this.#running.filter((running) => running !== batch);
    this.#slowRuns -= slowRuns;
    this.#runs -= 1;
    this.#start();
    if (this.#runs > 0) return;
    this.#drained.resolve();
    this.#drained = Promise.withResolvers();
    this.#options.idle?.();
  }

  async #settle(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#work(batch.map(({ item }) => item));
      if (results.length !== batch.length) {
        throw new Error(`a batch of ${batch.length} items returned ${results.length} results`);
      }
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index] as Result | Error;
        if (result instanceof Error) reject(result);
        else resolve(result);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  #takeBatch(): Waiting<Item, Result>[] {
    const { batchCountMax, batchBytesMax = Infinity } = this.#options;
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes;
      if (count === batchCountMax || (count > 0 && bytes > batchBytesMax)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  /** Items in work may still succeed after this; their callers no longer wait. */
  #refuseLate(): void {
    const now = this.#monotonicMs();
    const isLate = ({ deadline }: Waiting<Item, Result>) => deadline <= now;
    for (const { reject } of this.#running.flat().filter(isLate)) reject(this.#refusal('late'));
    const late = this.#waiting.filter(isLate);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => !isLate(waiting));
    for (const { bytes, reject } of late) {
      this.#bytes -= bytes;
      reject(this.#refusal('late'));
    }
  }

  #monotonicMs(): number {
    return this.#options.monotonicMs?.() ?? performance.now();
  }

  #refusal(reason: 'full' | 'late'): Error {
    return this.#options.refusal?.(reason) ?? new Error(`the item is refused: its queue is ${reason}`);
  }
}
