/**
 * Narrows a batch that cannot be folded down to the one delivery that causes the failure, which is set aside. Bundles are halved
 * first, then the deliveries of the last bundle are split in the database.
 */
import type { Sql } from '../database/client.ts';
import { setBundleAside, splitBundle } from '../inbox/pending.ts';
import { type Batch, toChunks } from './batch.ts';
import { type FoldOutcome, outcomeOf } from './process-batch.ts';

/** The half to fold next, or the outcome when there is nothing left to fold now. */
export async function narrowBatch(
  sql: Sql,
  batch: Batch,
  cause: unknown,
): Promise<{ batch: Batch } | { outcome: FoldOutcome }> {
  const { botId, bundles } = batch;
  if (bundles.length > 1) {
    const half = bundles.slice(0, Math.floor(bundles.length / 2));
    return { batch: { ...batch, bundles: half, chunks: toChunks(half) } };
  }
  const [bundle] = bundles;
  if (!bundle) return { outcome: outcomeOf({}) };
  if (bundle.deliveryIds.length > 1) {
    await splitBundle(sql, botId, bundle.bundleId);
    return { outcome: outcomeOf({}) };
  }
  const reason = `could not be folded: ${cause instanceof Error ? cause.name : 'unknown error'}`;
  const deliveryIds = await setBundleAside(sql, botId, bundle.bundleId, reason);
  const setAside = deliveryIds.map((deliveryId) => ({ deliveryId, reason }));
  return { outcome: outcomeOf({ deliveries: setAside.length, setAside }) };
}

/**
 * True when the data make the fold fail: PostgreSQL's classes 22 and 23, and bugs in our own code. Anything else (no connection, no
 * space, a lock, a wrong schema) would fail every batch alike.
 */
export function isFailureOfData(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  return code === null || /^2[23]/.test(code);
}
