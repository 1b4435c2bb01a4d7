/**
 * Group commit: deliveries that arrive while commits are in work wait together and share the next one.
 *
 * At most two commits are in work. The second one begins with many deliveries only, because a small commit costs almost as much as
 * a large one, or when the first one is slow.
 *
 * A delivery's promise resolves only after its commit. Memory is bounded by bytes and by time. Beyond either bound the delivery
 * is refused, and the platform delivers it again.
 */
import { Batcher } from '../batcher.ts';
import type { NewDelivery } from './inbox.ts';

/** The delivery was not stored, or its commit is unknown: answer 503, never 200. */
export class NotStored extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NotStored';
  }
}

/** `put` resolves after the commit of the delivery, or rejects with NotStored. */
export type GroupCommit = Batcher<NewDelivery, void>;

/** `store` commits all deliveries or rejects; `monotonicMs` is a clock for time-outs. */
export function groupCommit(
  store: (deliveries: NewDelivery[]) => Promise<void>,
  { bytesMax, monotonicMs }: { bytesMax: number; monotonicMs?: () => number },
): GroupCommit {
  const commit = async (deliveries: NewDelivery[]) => {
    await store(deliveries).catch((cause: unknown) => {
      throw new NotStored('the store failed', { cause });
    });
    return deliveries.map(() => undefined);
  };
  return new Batcher(commit, {
    runsMax: 2,
    parallelCountMin: 32,
    slow: { afterMs: 50, runsMax: 2 },
    batchCountMax: 1_000,
    batchBytesMax: 16 * 1024 * 1024,
    bytesMax,
    bytesOf: ({ body }) => body.byteLength,
    // LINE waits 2 s for an answer. After 4 s no platform reads a 200.
    waitMsMax: 4_000,
    ...(monotonicMs && { monotonicMs }),
    refusal: (reason) =>
      new NotStored(
        reason === 'full' ? 'too many bytes wait to be stored' : 'the store did not answer in time',
      ),
  });
}
