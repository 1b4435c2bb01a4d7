/** One fold of pending deliveries, without a worker. */
import type { Sql } from '../../src/database/client.ts';
import { readBatch } from '../../src/ingest/batch.ts';
import type { FoldOutcome } from '../../src/ingest/fold-outcome.ts';
import { type FoldOptions, foldBatch } from '../../src/ingest/process-batch.ts';

/** Folds the oldest pending deliveries of the bots, at most `countMax` of them if their bundles are small enough. */
export async function foldPending(
  sql: Sql,
  botIds: string | readonly string[],
  { countMax = 1_000, chunkSize, ...options }: FoldOptions & { countMax?: number; chunkSize?: number },
): Promise<FoldOutcome> {
  const batch = await readBatch(sql, [botIds].flat(), {
    countMax,
    ...(chunkSize === undefined ? {} : { chunkSize }),
  });
  return foldBatch(sql, batch, options);
}
