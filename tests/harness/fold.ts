/** One fold of pending deliveries, without a worker. */
import assert from 'node:assert/strict';
import type { Sql } from '../../src/database/client.ts';
import { readBatch } from '../../src/ingest/batch.ts';
import { type FoldOptions, type FoldOutcome, foldBatch } from '../../src/ingest/process-batch.ts';

/** Folds the bot's oldest pending deliveries, at most `countMax` of them if their bundles are small enough. */
export async function foldPending(
  sql: Sql,
  botId: string,
  { countMax = 1_000, partSize, ...options }: FoldOptions & { countMax?: number; partSize?: number },
): Promise<FoldOutcome> {
  const batch = await readBatch(sql, botId, { countMax, ...(partSize === undefined ? {} : { partSize }) });
  assert.ok(batch, `there is no bot ${botId}`);
  return foldBatch(sql, batch, options);
}
