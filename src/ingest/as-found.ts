/** Decides whether the look-up of a batch, which precedes its locks, is still valid. */
import { isChangedBy } from '../events/reports.ts';
import type { FoundChunk, FoundEvents } from './apply-events.ts';
import type { Batch, BotBatch } from './batch.ts';

/**
 * The bots whose chunks can be folded as they were found. The others are folded as a whole: bots that another fold has
 * claimed in part, and bots in several chunks with an event that changes, which may belong to a person of another chunk.
 */
export function botsAsFound(
  batch: Batch,
  bots: readonly BotBatch[],
  chunks: readonly FoundChunk[],
): ReadonlySet<string> {
  const bundleCounts = new Map(batch.bots.map(({ botId, bundles }) => [botId, bundles.length]));
  const asFound = new Set(
    bots.flatMap(({ botId, bundles }) => (bundles.length === bundleCounts.get(botId) ? [botId] : [])),
  );
  const parts = Map.groupBy(
    chunks.flatMap(({ events }) => events),
    ({ bot }) => bot.botId,
  );
  for (const [botId, ofBot] of parts) if (ofBot.length > 1 && !ofBot.every(isPlain)) asFound.delete(botId);
  return asFound;
}

/** True when the events are new or duplicates. */
function isPlain({ incoming, storedEvents }: FoundEvents): boolean {
  if (storedEvents.size === 0) return true;
  return incoming.every((event) => {
    const stored = storedEvents.get(event.platform, event.key);
    return !stored || (!stored.isOfDeleted && !isChangedBy(stored, event));
  });
}
