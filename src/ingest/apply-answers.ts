/** Applies LINE's answers to the collector that a batch holds. */
import type { Transaction } from '../database/client.ts';
import { foldAnswers } from '../line/snapshots.ts';
import type { Tally } from '../rollups/counters.ts';
import type { BotBatch, Refused } from './batch.ts';

/** Stores the answers of the bots. Returns the unreadable deliveries, with those of the bundles. */
export async function applyAnswers(
  tx: Transaction,
  bots: readonly BotBatch[],
  tallies: ReadonlyMap<string, Tally>,
): Promise<Refused[]> {
  const refused: Refused[] = [];
  for (const { botId, bundles } of bots) {
    refused.push(...bundles.flatMap((bundle) => bundle.refused));
    const answers = bundles.flatMap((bundle) => bundle.answers);
    const tally = tallies.get(botId);
    if (tally && answers.length > 0)
      for (const one of await foldAnswers(tx, botId, tally, answers)) refused.push({ ...one, botId });
  }
  return refused;
}
