/**
 * Group commit: deliveries that arrive while a commit is under way wait together and share the next one.
 *
 * Whoever was just answered often has the next delivery at hand, so the next commit waits a moment for as many as the last one
 * held: without that, callers would fall into two groups that wait for each other's commits in turn, each commit half as full.
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
/** So long, at most, a commit waits for those who were just answered. */
const gatherMsMax = 3;

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
  #underway: Waiting[] = [];
  #bytes = 0;
  #storing = false;
  #sweep: NodeJS.Timeout | undefined;
  #gathering: { count: number; done: () => void } | undefined;

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
    if (this.#gathering && this.#waiting.length >= this.#gathering.count) this.#gathering.done();
    this.#start();
    return promise;
  }

  /** Waits until nothing is waiting or under way. */
  async drain(): Promise<void> {
    while (this.#storing) await new Promise((resolve) => setTimeout(resolve, 5));
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #start(): void {
    if (this.#storing) return;
    this.#storing = true;
    this.#sweep ??= setInterval(() => this.#refuseLate(), sweepMs).unref();
    // After the current turn of the loop, so that requests read in it go together.
    setImmediate(() => this.#run());
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#underway = this.#takeBatch();
      const count = this.#underway.length;
      await this.#storeUnderway();
      if (this.#waiting.length > 0) await this.#gather(Math.min(this.#waiting.length + count, batchCountMax));
    }
    this.#storing = false;
  }

  /** Waits until so many are waiting, but not for long. */
  async #gather(count: number): Promise<void> {
    const { promise, resolve: done } = Promise.withResolvers<void>();
    this.#gathering = { count, done };
    const timer = setTimeout(done, gatherMsMax);
    await promise;
    clearTimeout(timer);
    this.#gathering = undefined;
  }

  async #storeUnderway(): Promise<void> {
    try {
      await this.#store(this.#underway.map(({ delivery }) => delivery));
      for (const { resolve } of this.#underway) resolve();
    } catch (cause) {
      const error = new NotStored('the store failed', { cause });
      for (const { reject } of this.#underway) reject(error);
    }
    this.#release(this.#underway);
    this.#underway = [];
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
    for (const { reject } of this.#underway.filter(isLate))
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
