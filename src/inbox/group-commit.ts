/**
 * Group commit: deliveries that arrive while commits are under way wait together and share the next one.
 *
 * Two commits are under way at most. While the database writes one, the other takes up who was just answered and is back with the
 * next delivery: with one alone everybody would wait for it, and the server with them.
 *
 * In: verified deliveries. Out: a promise for each that resolves only after its commit. What waits in memory is bounded, by
 * bytes and by time; past either bound the caller is refused and the platform delivers again.
 */
import type { NewDelivery } from './inbox.ts';

/** The delivery was not stored, or not known to be: answer 503, never 200. */
export class NotStored extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NotStored';
  }
}

const batchCountMax = 1_000;
const batchBytesMax = 16 * 1024 * 1024;
/** LINE gives an answer 2 s; a later 200 would be one that nobody waits for. */
const waitMsMax = 4_000;
const sweepMs = 250;
const commitsMax = 2;

type Waiting = {
  delivery: NewDelivery;
  deadline: number;
  resolve: () => void;
  reject: (error: NotStored) => void;
};

export class GroupCommit {
  readonly #store: (deliveries: NewDelivery[]) => Promise<void>;
  readonly #bytesMax: number;
  readonly #monotonicMs: () => number;
  #waiting: Waiting[] = [];
  readonly #underway = new Set<readonly Waiting[]>();
  #bytes = 0;
  #commits = 0;
  #sweep: NodeJS.Timeout | undefined;

  /** `store` commits all it is given or rejects; `monotonicMs` is a clock for time-outs. */
  constructor(
    store: (deliveries: NewDelivery[]) => Promise<void>,
    { bytesMax, monotonicMs = () => performance.now() }: { bytesMax: number; monotonicMs?: () => number },
  ) {
    this.#store = store;
    this.#bytesMax = bytesMax;
    this.#monotonicMs = monotonicMs;
  }

  /** Bytes of bodies that wait or are being stored. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves after the commit that holds the delivery. Rejects with NotStored when full, late, or the store failed. */
  put(delivery: NewDelivery): Promise<void> {
    if (this.#bytes + delivery.body.byteLength > this.#bytesMax) {
      return Promise.reject(new NotStored('too much is waiting to be stored'));
    }
    this.#bytes += delivery.body.byteLength;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ delivery, deadline: this.#monotonicMs() + waitMsMax, resolve, reject });
    this.#start();
    return promise;
  }

  /** Waits until nothing is waiting or under way. */
  async drain(): Promise<void> {
    while (this.#commits > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #start(): void {
    if (this.#commits === commitsMax) return;
    this.#commits += 1;
    this.#sweep ??= setInterval(() => this.#refuseLate(), sweepMs).unref();
    // After the current turn of the loop, so that requests read in it go together.
    setImmediate(() => this.#run());
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#commit(this.#takeBatch());
    }
    this.#commits -= 1;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    this.#underway.add(batch);
    try {
      await this.#store(batch.map(({ delivery }) => delivery));
      for (const { resolve } of batch) resolve();
    } catch (cause) {
      const error = new NotStored('the store failed', { cause });
      for (const { reject } of batch) reject(error);
    }
    this.#release(batch);
    this.#underway.delete(batch);
  }

  #takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { delivery } of this.#waiting) {
      bytes += delivery.body.byteLength;
      if (count === batchCountMax || (count > 0 && bytes > batchBytesMax)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  /** What is under way may still be stored after this; the platform then delivers again and the events are known. */
  #refuseLate(): void {
    const now = this.#monotonicMs();
    const isLate = ({ deadline }: Waiting) => deadline <= now;
    for (const { reject } of [...this.#underway].flat().filter(isLate))
      reject(new NotStored('the store did not answer in time'));
    const late = this.#waiting.filter(isLate);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => !isLate(waiting));
    for (const { reject } of late) reject(new NotStored('the store did not answer in time'));
    this.#release(late);
  }

  #release(done: readonly Waiting[]): void {
    for (const { delivery } of done) this.#bytes -= delivery.body.byteLength;
  }
}
