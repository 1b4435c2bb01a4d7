/**
 * The fold: one batch of a bot's deliveries becomes events and figures, in one transaction.
 *
 *     claim → find → drop stored events → merge contacts → append → followers, messages, conversations → write → commit
 *
 * The bot's row stays locked, so that one fold at a time works on a bot; other bots are folded in parallel. If the process dies, the
 * transaction rolls back: the deliveries are pending again and nothing of them is counted. Statements that do not need each other's
 * result are sent together, so a fold usually waits for the database twice. A large batch is applied in chunks (apply-events.ts).
 */
import type { Sql, Transaction } from '../database/client.ts';
import { numberList } from '../database/lists.ts';
import { statementsSent } from '../database/statements-sent.ts';
import { isChangedBy } from '../events/reports.ts';
import type { IncomingEvent } from '../events/store.ts';
import { setAside } from '../inbox/pending.ts';
import { foldAnswers } from '../line/snapshots.ts';
import { chatMessages } from '../live-chat/new-messages.ts';
import type { Random } from '../random.ts';
import { Tally } from '../rollups/counters.ts';
import { enqueueMessages } from '../webhooks-out/outbox.ts';
import { type AppliedChunk, applyChunk, type BatchBot, type FoundChunk, findChunks } from './apply-events.ts';
import { applySends } from './apply-sends.ts';
import { type Batch, type ParsedBundle, type Refused, toChunk } from './batch.ts';
import { stateChanges } from './contact-changes.ts';
import { eraseDeleted } from './erase-deleted.ts';

export type FoldOptions = {
  now: number;
  random: Random;
  /** Called when everything is folded in memory, and only the database still has work. */
  onFolded?: () => void;
};

/** The outcome of a batch. `busy`: another fold holds the bot, or its settings have changed since the batch was read. */
export type FoldOutcome = {
  busy: boolean;
  deliveries: number;
  appended: number;
  duplicates: number;
  ignored: number;
  setAside: Refused[];
  /** receivedAt (ms) of the oldest delivery of the batch; null for an empty one. */
  oldestReceivedAt: number | null;
};

/**
 * Folds what is still pending of the batch. Safe to call at any time, from any number of processes: bundles that another fold has
 * claimed are left out.
 */
export async function foldBatch(sql: Sql, batch: Batch, options: FoldOptions): Promise<FoldOutcome> {
  if (batch.bundles.length === 0) return outcomeOf({});
  return sql.begin(async (tx) => {
    const claiming = Promise.all([setUp(tx), claim(tx, batch)]);
    const finding = findChunks(tx, batch, batch.chunks, options.random);
    // No statement may follow the end of the transaction, whichever of the two fails.
    await Promise.allSettled([claiming, finding]);
    const [[, claimedIds], chunks] = await Promise.all([claiming, finding]);
    if (!claimedIds) return outcomeOf({ busy: true });
    const bundles = batch.bundles.filter(({ bundleId }) => claimedIds.has(bundleId));
    const isWhole = bundles.length === batch.bundles.length;
    if (isWhole && (chunks.length === 1 || chunks.every(isPlain)))
      return foldBundles(tx, batch, bundles, chunks, options);
    return foldAsOne(tx, batch, bundles, options);
  }) as Promise<FoldOutcome>;
}

/** The settings of a fold's transaction. */
export async function setUp(tx: Transaction): Promise<void> {
  await tx`
    select
      -- A fold reads some hundred rows of large tables by key, and no other plan is ever better. With the others disabled, one
      -- plan is good for every batch and is not planned again.
      set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
      set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
      set_config('enable_sort', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true),
      -- A power cut that undoes a fold loses nothing: its deliveries are pending again.
      set_config('synchronous_commit', 'off', true)`;
}

/**
 * Locks the bot and deletes the batch's bundles, which holds when the transaction commits. Returns the ids of those that were still
 * pending; null when another fold holds the bot or its settings differ from those of the batch.
 */
async function claim(tx: Transaction, { botId, settings, bundles }: Batch): Promise<Set<number> | null> {
  const [row] = await tx<{ bundles: string[] }[]>`
    with bot as (
      select bot_id from bots
      where bot_id = ${botId} and time_zone = ${settings.timeZone}
        and conversation_gap_seconds = ${settings.conversationGapSeconds}
      for no key update skip locked
    ), claimed as (
      delete from pending_bundles using bot
      where pending_bundles.bot_id = ${botId}
        and bundle_id = any (${numberList(bundles.map(({ bundleId }) => bundleId))}::bigint[])
      returning bundle_id
    )
    select array(select bundle_id::text from claimed) as bundles from bot`;
  return row ? new Set(row.bundles.map(Number)) : null;
}

/** True when the chunk's events are new or duplicates. An event that changes may belong to a person of another chunk. */
function isPlain({ incoming, storedEvents }: FoundChunk): boolean {
  if (storedEvents.size === 0) return true;
  return incoming.every((event) => {
    const stored = storedEvents.get(event.platform, event.key);
    return !stored || (!stored.isOfDeleted && !isChangedBy(stored, event));
  });
}

/** Folds bundles as one chunk, in a transaction that holds the bot's lock. Idempotent: stored events are dropped. */
export async function foldAsOne(
  tx: Transaction,
  bot: BatchBot,
  bundles: readonly ParsedBundle[],
  options: FoldOptions,
): Promise<FoldOutcome> {
  const incoming = bundles.flatMap((bundle) => bundle.incoming);
  const chunks = await findChunks(tx, bot, [toChunk(incoming)], options.random);
  return foldBundles(tx, bot, bundles, chunks, options);
}

/** An outcome of nothing but `part`. */
export function outcomeOf(part: Partial<FoldOutcome>): FoldOutcome {
  return {
    ...{ busy: false, deliveries: 0, appended: 0, duplicates: 0, ignored: 0 },
    ...{ setAside: [], oldestReceivedAt: null, ...part },
  };
}

async function foldBundles(
  tx: Transaction,
  bot: BatchBot,
  bundles: readonly ParsedBundle[],
  found: readonly FoundChunk[],
  { now, random, onFolded }: FoldOptions,
): Promise<FoldOutcome> {
  const { botId, settings } = bot;
  const tally = new Tally(settings.timeZone);
  for (const { webhooks } of bundles) {
    for (const [platform, at] of webhooks) tally.delivered(platform, at);
  }
  const refused = bundles.flatMap((bundle) => bundle.refused);
  const answers = bundles.flatMap((bundle) => bundle.answers);
  if (answers.length > 0) refused.push(...(await foldAnswers(tx, botId, tally, answers)));
  const sent: IncomingEvent[] = [];
  if (bundles.some(({ records, tokens }) => records.length + tokens.length > 0)) {
    const sends = await applySends(tx, botId, tally, bundles, found, now);
    sent.push(...sends.events);
    refused.push(...sends.refused);
  }
  const incoming = [...bundles.flatMap((bundle) => bundle.incoming), ...sent];
  // Only now are the recipients of the sends known.
  const chunks = sent.length === 0 ? found : await findChunks(tx, bot, [toChunk(incoming)], random);
  const applied: AppliedChunk[] = [];
  for (const chunk of chunks) {
    applied.push(await applyChunk(tx, bot, tally, chunk, now));
    if (chunks.length > 1) await statementsSent();
  }
  const ofDeleted = applied.flatMap((chunk) => chunk.ofDeleted);
  const newEvents = applied.flatMap((chunk) => chunk.newEvents);
  const changes = applied.flatMap(({ people }) => stateChanges(people.contacts, now));
  changes.push(...chatMessages(newEvents));
  const written = Promise.all([
    ...applied.map((chunk) => chunk.written),
    tally.write(tx, botId),
    refused.length > 0 ? setAside(tx, botId, refused) : undefined,
    changes.length > 0 ? enqueueMessages(tx, botId, changes, { now }) : undefined,
    ofDeleted.length > 0
      ? eraseDeleted(tx, botId, { present: applied.flatMap(({ present }) => present), ofDeleted, refused })
      : undefined,
  ]);
  onFolded?.();
  await written;
  return outcomeOf({
    deliveries: bundles.reduce((sum, { deliveryIds }) => sum + deliveryIds.length, 0),
    appended: newEvents.length,
    duplicates: incoming.length - newEvents.length,
    ignored: newEvents.filter(({ kind }) => kind === 'ignored').length,
    setAside: refused,
    oldestReceivedAt: bundles[0]?.oldestReceivedAt ?? null,
  });
}
