/**
 * The fold: a batch of deliveries of one or many bots becomes events and figures, in one transaction.
 *
 *     claim → find → drop stored events → merge contacts → append → followers, messages, conversations → write → commit
 *
 * The rows of the bots stay locked, so that one fold at a time works on a bot; other bots are folded in parallel. If the process dies,
 * the transaction rolls back: the deliveries are pending again and nothing of them is counted. Statements take the rows of all bots, so
 * their number does not grow with the bots. Those that do not need each other's result are sent together, so a fold usually waits for
 * the database twice. A large batch is applied in chunks (apply-events.ts).
 */
import type { Sql, Transaction } from '../database/client.ts';
import { statementsSent } from '../database/statements-sent.ts';
import { isChangedBy } from '../events/reports.ts';
import type { IncomingEvent } from '../events/store.ts';
import { setAside } from '../inbox/pending.ts';
import { foldAnswers } from '../line/snapshots.ts';
import { chatMessages } from '../live-chat/new-messages.ts';
import type { Random } from '../random.ts';
import { Tally, writeTallies } from '../rollups/counters.ts';
import { type Change, enqueueForBots } from '../webhooks-out/outbox.ts';
import {
  type FoundChunk,
  type FoundEvents,
  findChunks,
  foldChunk,
  type PreparedChunk,
  prepareChunk,
  writeEvents,
} from './apply-events.ts';
import { applySends } from './apply-sends.ts';
import { type Batch, type BotBatch, botEvents, type Refused } from './batch.ts';
import { claim, onlyClaimed, setUp } from './claim.ts';
import { stateChanges } from './contact-changes.ts';
import { eraseDeleted } from './erase-deleted.ts';
import { type FoldOutcome, outcomeOf } from './fold-outcome.ts';

export type FoldOptions = {
  now: number;
  random: Random;
  /** Called when everything is folded in memory, and only the database still has work. */
  onFolded?: () => void;
};

/**
 * Folds what is still pending of the batch. Safe to call at any time, from any number of processes: bundles that another fold has
 * claimed are left out.
 */
export async function foldBatch(sql: Sql, batch: Batch, options: FoldOptions): Promise<FoldOutcome> {
  if (batch.bots.length === 0) return outcomeOf({});
  return sql.begin(async (tx) => {
    const claiming = Promise.all([setUp(tx), claim(tx, batch.bots)]);
    const finding = findChunks(tx, batch.chunks, options.random);
    // No statement may follow the end of the transaction, whichever of the two fails.
    await Promise.allSettled([claiming, finding]);
    const [[, claimed], chunks] = await Promise.all([claiming, finding]);
    const bots = batch.bots
      .filter(({ botId }) => claimed.botIds.has(botId))
      .map((bot) => onlyClaimed(bot, claimed));
    const busyBots = batch.bots.flatMap(({ botId }) => (claimed.botIds.has(botId) ? [] : [botId]));
    const asFound = botsAsFound(batch, bots, chunks);
    const kept = chunks.map((chunk) => ({
      ...chunk,
      events: chunk.events.filter(({ bot }) => asFound.has(bot.botId)),
    }));
    const others = bots.filter(({ botId }) => !asFound.has(botId));
    const outcome = await foldFound(tx, bots, [...kept, ...(await findWhole(tx, others, options))], options);
    return { ...outcome, busyBots };
  }) as Promise<FoldOutcome>;
}

/**
 * Folds bundles, each bot's events as a whole, in a transaction that holds the locks of the bots. Idempotent: stored events are
 * dropped.
 */
export async function foldBots(
  tx: Transaction,
  bots: readonly BotBatch[],
  options: FoldOptions,
): Promise<FoldOutcome> {
  return foldFound(tx, bots, await findWhole(tx, bots, options), options);
}

/** Looks up the rows that the events of the bots can touch, in one chunk. */
async function findWhole(
  tx: Transaction,
  bots: readonly BotBatch[],
  { random }: FoldOptions,
): Promise<FoundChunk[]> {
  if (bots.length === 0) return [];
  const chunk = bots.map((bot) =>
    botEvents(
      bot,
      bot.bundles.flatMap(({ incoming }) => incoming),
    ),
  );
  return findChunks(tx, [chunk], random);
}

/**
 * The bots whose chunks can be folded as they were found. The others are folded as a whole: bots that another fold has
 * claimed in part, and bots in several chunks with an event that changes, which may belong to a person of another chunk.
 */
function botsAsFound(
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

async function foldFound(
  tx: Transaction,
  bots: readonly BotBatch[],
  found: readonly FoundChunk[],
  { now, random, onFolded }: FoldOptions,
): Promise<FoldOutcome> {
  const tallies = new Map(bots.map((bot) => [bot.botId, tallyOf(bot)]));
  const refused = await foldAllAnswers(tx, bots, tallies);
  const sent = await applySends(tx, bots, tallies, found, now);
  refused.push(...sent.refused);
  const chunks = await addSent(tx, bots, found, { sent: sent.events, random });
  const prepared: PreparedChunk[] = [];
  for (const chunk of chunks) prepared.push(await prepareChunk(tx, tallies, chunk));
  const events = writeEvents(tx, prepared);
  // Awaited at the end; the handler keeps an early failure from being reported as unhandled.
  events.catch(() => undefined);
  const folded: { written: Promise<unknown> }[] = [];
  for (const chunk of prepared) {
    // The database writes the events, and then one chunk, while the process folds the next.
    if (chunks.length > 1) await statementsSent();
    folded.push(await foldChunk(tx, chunk, now));
  }
  const parts = prepared.flat();
  const newEvents = parts.flatMap((part) => part.newEvents);
  const written = Promise.all([
    events,
    ...folded.map((chunk) => chunk.written),
    writeTallies(tx, tallies),
    refused.length > 0 ? setAside(tx, refused) : undefined,
    enqueueForBots(tx, changesOf(parts, now), { now }),
    ...parts
      .filter(({ ofDeleted }) => ofDeleted.length > 0)
      .map((part) => eraseDeleted(tx, part.botId, { ...part, refused })),
  ]);
  if (bots.length > 0) onFolded?.();
  await written;
  const bundles = bots.flatMap((bot) => bot.bundles);
  const incoming = bundles.reduce((sum, bundle) => sum + bundle.incoming.length, sent.events.length);
  return outcomeOf({
    deliveries: bundles.reduce((sum, { deliveryIds }) => sum + deliveryIds.length, 0),
    appended: newEvents.length,
    duplicates: incoming - newEvents.length,
    ignored: newEvents.filter(({ kind }) => kind === 'ignored').length,
    setAside: refused,
  });
}

/** A tally with the receipt of the bot's webhooks. */
function tallyOf({ settings, bundles }: BotBatch): Tally {
  const tally = new Tally(settings.timeZone);
  for (const { webhooks } of bundles) {
    for (const [platform, at] of webhooks) tally.delivered(platform, at);
  }
  return tally;
}

/** Applies LINE's answers to the collector. Returns the unreadable deliveries, with those of the bundles. */
async function foldAllAnswers(
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

/** Adds the events of sends to the chunks: only now are their recipients known. Their bots are looked up again, as a whole. */
async function addSent(
  tx: Transaction,
  bots: readonly BotBatch[],
  found: readonly FoundChunk[],
  { sent, random }: { sent: readonly IncomingEvent[]; random: Random },
): Promise<readonly FoundChunk[]> {
  if (sent.length === 0) return found;
  const byBot = Map.groupBy(sent, ({ botId }) => botId);
  const senders = bots.filter(({ botId }) => byBot.has(botId));
  const chunk = senders.map((bot) =>
    botEvents(bot, [...bot.bundles.flatMap(({ incoming }) => incoming), ...(byBot.get(bot.botId) ?? [])]),
  );
  const others = found.map((one) => ({
    ...one,
    events: one.events.filter(({ bot }) => !byBot.has(bot.botId)),
  }));
  return [...others, ...(await findChunks(tx, [chunk], random))];
}

/** The changes that webhook messages report. */
function changesOf(parts: PreparedChunk, now: number): (Change & { botId: string })[] {
  return parts.flatMap(({ botId, people, newEvents }) =>
    [...stateChanges(people.contacts, now), ...chatMessages(newEvents)].map((change) => ({
      ...change,
      botId,
    })),
  );
}
