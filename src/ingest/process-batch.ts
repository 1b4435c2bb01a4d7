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
import { setAside } from '../inbox/pending.ts';
import { chatMessages } from '../live-chat/new-messages.ts';
import { otherAccount } from '../platforms/delivery.ts';
import type { Random } from '../random.ts';
import { Tally, writeTallies } from '../rollups/counters.ts';
import { type Change, enqueueForBots } from '../webhooks-out/outbox.ts';
import { applyAnswers } from './apply-answers.ts';
import { type FoundChunk, findChunks, foldChunk, type PreparedChunk, prepareChunk } from './apply-events.ts';
import { addSent, applySends } from './apply-sends.ts';
import { botsAsFound } from './as-found.ts';
import { type Batch, type BotBatch, botEvents } from './batch.ts';
import { claim, lockBots, onlyClaimed, setUp } from './claim.ts';
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
    const locking = Promise.all([setUp(tx), lockBots(tx, batch.bots)]);
    const claiming = locking.then(([, botIds]) => claim(tx, batch.bots, botIds));
    const finding = findChunks(tx, batch.chunks, { random: options.random, locked: locking });
    // No statement may follow the end of the transaction, whichever of the two fails.
    await Promise.allSettled([claiming, finding]);
    const [claimed, chunks] = await Promise.all([claiming, finding]);
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

/** Looks up the rows that the events of the bots can touch, in one chunk. */
export async function findWhole(
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
  return findChunks(tx, [chunk], { random });
}

/** Folds what was found, in a transaction that holds the locks of the bots. Idempotent: stored events are dropped. */
export async function foldFound(
  tx: Transaction,
  bots: readonly BotBatch[],
  found: readonly FoundChunk[],
  { now, random, onFolded }: FoldOptions,
): Promise<FoldOutcome> {
  const tallies = new Map(bots.map((bot) => [bot.botId, tallyOf(bot)]));
  const refused = await applyAnswers(tx, bots, tallies);
  const sent = await applySends(tx, bots, tallies, found, now);
  refused.push(...sent.refused);
  const chunks = await addSent(tx, bots, found, { sent: sent.events, random });
  const prepared: PreparedChunk[] = [];
  const folded: { written: Promise<unknown> }[] = [];
  for (const one of chunks) {
    const chunk = await prepareChunk(tx, tallies, one);
    folded.push(await foldChunk(tx, chunk, now));
    prepared.push(chunk);
    // The database writes one chunk while the process folds the next.
    if (chunks.length > 1) await statementsSent();
  }
  const parts = prepared.flat();
  const newEvents = parts.flatMap((part) => part.newEvents);
  const ignored = newEvents.filter(({ kind }) => kind === 'ignored');
  const written = Promise.all([
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
    ignored: ignored.length,
    otherAccounts: ignored.flatMap(({ botId, platform, detail }) =>
      detail === otherAccount ? [{ botId, platform }] : [],
    ),
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

/** The changes that webhook messages report. */
function changesOf(parts: PreparedChunk, now: number): (Change & { botId: string })[] {
  return parts.flatMap(({ botId, people, newEvents }) =>
    [...stateChanges(people.contacts, now), ...chatMessages(newEvents)].map((change) => ({
      ...change,
      botId,
    })),
  );
}
