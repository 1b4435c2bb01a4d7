/**
 * The fold: one batch of a bot's deliveries becomes events and figures, in one transaction.
 *
 *     claim → look up → drop known → join people → append → audience, messages, conversations → write → commit
 *
 * The bot's row is locked meanwhile, so that one fold at a time works on a bot; other bots are folded beside it. Killed
 * anywhere, the transaction rolls back: the deliveries are pending again and nothing of them is counted. Statements that do
 * not need each other's answer are sent together, so a fold usually waits for the database twice; a large batch is worked out
 * in parts (fold-part.ts), one while the database writes the one before.
 */
import type { Sql, Transaction } from '../database/client.ts';
import { numberList } from '../database/lists.ts';
import { statementsSent } from '../database/statements-sent.ts';
import { type IncomingEvent, isChangedBy, type KnownEvent } from '../events/store.ts';
import { setAside } from '../inbox/inbox.ts';
import { foldAnswers } from '../line/snapshots.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import type { Random } from '../random.ts';
import { Tally } from '../rollups/counters.ts';
import { tell } from '../webhooks-out/outbox.ts';
import { type FoldedPart, foldPart, lookUp, type Part } from './apply-events.ts';
import { foldSends } from './apply-sends.ts';
import { type Batch, type BotSettings, emptyBundle, type ParsedBundle, type Refused } from './batch.ts';
import { chatMessages, stateChanges } from './contact-changes.ts';
import { eraseForgotten, withoutForgotten } from './forgotten-events.ts';
import { toPart } from './split-batch.ts';

export type FoldOptions = {
  now: number;
  random: Random;
  /** Called when everything is worked out, and only the database still has something to do. */
  workedOut?: () => void;
};

/** What became of a batch. `busy`: another fold holds the bot, or its settings have changed since the batch was read. */
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
 * Folds what is still pending of the batch. Safe to call at any time, from any number of processes: what another fold has
 * taken meanwhile is left out.
 */
export async function foldBatch(sql: Sql, batch: Batch, options: FoldOptions): Promise<FoldOutcome> {
  if (batch.bundles.length === 0) return emptyOutcome({});
  return sql.begin(async (tx) => {
    const claiming = Promise.all([setUp(tx), claim(tx, batch)]);
    const looking = lookUp(tx, batch, batch.parts, options);
    // Nothing more may be asked when the transaction ends, whichever of them ended it.
    await Promise.allSettled([claiming, looking]);
    const [[, claimed], parts] = await Promise.all([claiming, looking]);
    if (!claimed) return emptyOutcome({ busy: true });
    const bundles = batch.bundles.filter(({ bundleId }) => claimed.has(bundleId));
    const isWhole = bundles.length === batch.bundles.length;
    if (isWhole && (parts.length === 1 || parts.every(isPlain)))
      return foldBundles(tx, batch, bundles, parts, options);
    const one = [toPart(bundles.flatMap((bundle) => bundle.incoming))];
    return foldBundles(tx, batch, bundles, await lookUp(tx, batch, one, options), options);
  }) as Promise<FoldOutcome>;
}

/** The settings of a fold's transaction. */
export async function setUp(tx: Transaction): Promise<void> {
  await tx`
    select
      -- A fold takes some hundred rows of large tables by their keys, and no other way is ever better. With the others out of
      -- the way one plan is good for every batch and need not be made anew.
      set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
      set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
      set_config('enable_sort', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true),
      -- Nothing is lost with a fold that a power cut takes back: its deliveries are pending again.
      set_config('synchronous_commit', 'off', true)`;
}

/**
 * Locks the bot and marks the batch's bundles finished, which holds when the transaction commits. Gives those that were still
 * pending; null when another fold holds the bot or its settings are no longer those that the batch was read with.
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

/**
 * Folds events that no delivery told, in a transaction that holds the bot's lock. Safe to repeat: events that are known are
 * dropped.
 */
export async function foldTold(
  tx: Transaction,
  bot: { botId: string; settings: BotSettings },
  incoming: readonly IncomingEvent[],
  options: FoldOptions,
): Promise<FoldOutcome> {
  const bundle = { ...emptyBundle(0), incoming: [...incoming] };
  return foldBundles(tx, bot, [bundle], await lookUp(tx, bot, [toPart(incoming)], options), options);
}

/** True when the part's events are new or duplicates. An event that changes may belong to a person of another part. */
function isPlain({ incoming, known }: Part): boolean {
  if (known.size === 0) return true;
  return incoming.every((event) => {
    const stored = known.get(event.platform, event.key);
    return !stored || (!stored.forgotten && !isChangedBy(stored, event));
  });
}

/** An outcome in which nothing happened but what `part` says. */
export function emptyOutcome(part: Partial<FoldOutcome>): FoldOutcome {
  return {
    busy: false,
    deliveries: 0,
    appended: 0,
    duplicates: 0,
    ignored: 0,
    setAside: [],
    oldestReceivedAt: null,
    ...part,
  };
}

async function foldBundles(
  tx: Transaction,
  batch: Pick<Batch, 'botId' | 'settings'>,
  bundles: readonly ParsedBundle[],
  found: readonly Part[],
  options: FoldOptions,
): Promise<FoldOutcome> {
  const { botId, settings } = batch;
  const { now } = options;
  const bot = { botId, ...settings };
  const tally = new Tally(settings.timeZone);
  for (const { webhooks } of bundles) {
    for (const [platform, at] of webhooks) tally.delivered(platform, at);
  }
  const answers = bundles.flatMap((bundle) => bundle.answers);
  const refused = bundles.flatMap((bundle) => bundle.refused);
  refused.push(...(await foldAnswers(tx, botId, tally, answers)));
  const sent = await foldSends(tx, botId, tally, withoutForgotten(bundles, knownOf(found)), now);
  const incoming = [...bundles.flatMap((bundle) => bundle.incoming), ...sent];
  // Of what was sent it is only now known whom it went to.
  const parts = sent.length === 0 ? found : await lookUp(tx, batch, [toPart(incoming)], options);
  const folded: FoldedPart[] = [];
  for (const part of parts) {
    folded.push(await foldPart(tx, bot, tally, part, now));
    if (parts.length > 1) await statementsSent();
  }
  const present = folded.flatMap((part) => part.present);
  const gone = folded.flatMap((part) => part.gone);
  const fresh = folded.flatMap((part) => part.fresh);
  const changes = folded.flatMap(({ people }) => stateChanges(people.contacts, now));
  changes.push(...chatMessages(fresh));
  const written = Promise.all([
    ...folded.map((part) => part.written),
    tally.write(tx, botId),
    refused.length > 0 ? setAside(tx, botId, refused) : undefined,
    tell(tx, botId, changes, { now }),
    gone.length > 0 ? eraseForgotten(tx, botId, { present, gone, refused }) : undefined,
  ]);
  options.workedOut?.();
  await written;
  return emptyOutcome({
    deliveries: bundles.reduce((sum, { deliveryIds }) => sum + deliveryIds.length, 0),
    appended: fresh.length,
    duplicates: incoming.length - fresh.length,
    ignored: fresh.filter(({ kind }) => kind === 'ignored').length,
    setAside: refused,
    oldestReceivedAt: bundles[0]?.oldestReceivedAt ?? null,
  });
}

/** Nobody of several parts was forgotten (isPlain). */
function knownOf(parts: readonly Part[]): ByPlatform<KnownEvent> {
  return parts.length === 1 && parts[0] ? parts[0].known : new ByPlatform();
}
