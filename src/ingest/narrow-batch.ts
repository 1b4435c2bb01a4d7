/**
 * Narrows a batch that cannot be folded down to the one delivery that causes the failure, which is set aside. The bots are halved
 * first, so that the others are folded. Then the bundles of the last bot are halved, and the deliveries of the last bundle are split
 * in the database.
 */
import type { Sql } from '../database/client.ts';
import { setBundleAside, splitBundle } from '../inbox/pending.ts';
import { type Batch, type BotBatch, toChunks } from './batch.ts';
import { type FoldOutcome, outcomeOf } from './fold-outcome.ts';

/**
 * The batches to fold next, or the outcome when there is nothing left to fold now. Of several bots, both halves are folded. Of one
 * bot, only the first half of the bundles; the rest stays pending.
 */
export async function narrowBatch(
  sql: Sql,
  batch: Batch,
  cause: unknown,
): Promise<{ batches: Batch[] } | { outcome: FoldOutcome }> {
  const { bots } = batch;
  if (bots.length > 1) {
    const middle = Math.floor(bots.length / 2);
    return { batches: [bots.slice(0, middle), bots.slice(middle)].map(batchOf) };
  }
  const [bot] = bots;
  const [bundle] = bot?.bundles ?? [];
  if (!bot || !bundle) return { outcome: outcomeOf({}) };
  const { botId, bundles } = bot;
  if (bundles.length > 1) {
    const half = bundles.slice(0, Math.floor(bundles.length / 2));
    return { batches: [batchOf([{ ...bot, bundles: half }])] };
  }
  if (bundle.deliveryIds.length > 1) {
    await splitBundle(sql, botId, bundle.bundleId);
    return { outcome: outcomeOf({}) };
  }
  const reason = `could not be folded: ${cause instanceof Error ? cause.name : 'unknown error'}`;
  const deliveryIds = await setBundleAside(sql, botId, bundle.bundleId, reason);
  const setAside = deliveryIds.map((deliveryId) => ({ botId, deliveryId, reason }));
  return { outcome: outcomeOf({ deliveries: setAside.length, setAside }) };
}

function batchOf(bots: readonly BotBatch[]): Batch {
  return { bots, chunks: toChunks(bots), more: [] };
}

/**
 * True when the data make the fold fail: PostgreSQL's classes 22 and 23, and bugs in our own code. Anything else (no connection, no
 * space, a lock, a wrong schema) would fail every batch alike.
 */
export function isFailureOfData(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  return code === null || /^2[23]/.test(code);
}
