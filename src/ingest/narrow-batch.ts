/**
 * Narrows a batch that cannot be folded down to the one delivery that causes the failure, which is set aside. The bots are halved
 * first, so that the others are folded. Then the bundles of the last bot are halved, and the deliveries of the last bundle are split
 * in the database.
 */
import type { Logger } from 'pino';
import type { Sql } from '../database/client.ts';
import { setBundleAside, splitBundle } from '../inbox/pending.ts';
import { type Batch, type BotBatch, toChunks } from './batch.ts';
import { addOutcomes, type FoldOutcome, outcomeOf } from './fold-outcome.ts';

/**
 * Folds the batch. If its data make the fold fail, it folds narrower batches. `onFailingBot`: called with the bot of a failing batch
 * that has no other bot.
 */
export async function foldNarrowing(
  sql: Sql,
  batch: Batch,
  options: {
    fold(batch: Batch): Promise<FoldOutcome>;
    onFailingBot(botId: string): void;
    log: Logger;
  },
): Promise<FoldOutcome> {
  try {
    return await options.fold(batch);
  } catch (error) {
    if (!isFailureOfData(error)) throw error;
    const [botId, ...others] = batch.bots.map((bot) => bot.botId);
    const isAlone = botId !== undefined && others.length === 0;
    const bundles = batch.bots.reduce((sum, bot) => sum + bot.bundles.length, 0);
    const shown = isAlone ? { botId } : { bots: batch.bots.length };
    options.log.error({ err: error, ...shown, bundles }, 'a batch could not be folded');
    if (isAlone) options.onFailingBot(botId);
    const narrowed = await narrowBatch(sql, batch, error);
    if ('outcome' in narrowed) return narrowed.outcome;
    const outcomes: FoldOutcome[] = [];
    for (const part of narrowed.batches) outcomes.push(await foldNarrowing(sql, part, options));
    return addOutcomes(outcomes);
  }
}

/**
 * The batches to fold next, or the outcome when there is nothing left to fold now. Of several bots, both halves are folded. Of one
 * bot, only the first half of the bundles; the rest stays pending.
 */
async function narrowBatch(
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
function isFailureOfData(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  return code === null || /^2[23]/.test(code);
}
