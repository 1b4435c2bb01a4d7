/** The begin of a fold's transaction: its settings, the locks of its bots, and the claim of their bundles. */
import type { Transaction } from '../database/client.ts';
import { botOf, isOnCluster, rowTable } from '../database/row-table.ts';
import type { BotBatch } from './batch.ts';

/**
 * A fold reads some hundred rows of large tables by key, and no other plan is ever better. With the others disabled, one plan is good for
 * every batch and is not planned again.
 */
const disabledPlans = [
  'enable_seqscan',
  'enable_bitmapscan',
  'enable_hashjoin',
  'enable_mergejoin',
  'enable_sort',
];
/** Citus passes on `set local`, but no `set_config`. */
const onNodes = ["citus.propagate_set_commands = 'local'", ...disabledPlans.map((name) => `${name} = off`)]
  .map((setting) => `set local ${setting}`)
  .join('; ');

/** The settings of a fold's transaction. */
export async function setUp(tx: Transaction): Promise<void> {
  const settings = tx`
    select ${tx.unsafe(disabledPlans.map((name) => `set_config('${name}', 'off', true)`).join(', '))},
      -- Citus finds the node of a bot while it plans, from the values of a custom plan.
      set_config('plan_cache_mode', ${isOnCluster() ? 'auto' : 'force_generic_plan'}, true),
      -- A power cut that undoes a fold loses nothing: its deliveries are pending again.
      set_config('synchronous_commit', 'off', true)`;
  await Promise.all([settings, isOnCluster() && tx.unsafe(onNodes)]);
}

/** The locked bots, and the bundles that were still pending. */
export type Claimed = { botIds: ReadonlySet<string>; bundleIds: ReadonlySet<number> };

/**
 * Locks the bots and returns their ids. A bot is left out if another fold holds it or its settings differ from those of the batch. Never
 * waits for a bot, so two folds of the same bots cannot wait for each other.
 */
export async function lockBots(tx: Transaction, bots: readonly BotBatch[]): Promise<ReadonlySet<string>> {
  const locked = await tx<{ botId: string }[]>`
    select bots.bot_id as "botId"
    from ${rowTable(tx, 'read', bots, {
      bot_id: ['text', ({ botId }) => botId],
      time_zone: ['text', ({ settings }) => settings.timeZone],
      gap_seconds: ['integer', ({ settings }) => settings.conversationGapSeconds],
    })}
    join bots on bots.bot_id = ${botOf(tx, 'read', bots)} and bots.time_zone = read.time_zone
      and bots.conversation_gap_seconds = read.gap_seconds
    for no key update of bots skip locked`;
  return new Set(locked.map(({ botId }) => botId));
}

/** Deletes the bundles of the locked bots, which holds when the transaction commits. Returns those that were still pending. */
export async function claim(
  tx: Transaction,
  bots: readonly BotBatch[],
  botIds: ReadonlySet<string>,
): Promise<Claimed> {
  const bundles = bots.flatMap((bot) =>
    botIds.has(bot.botId) ? bot.bundles.map(({ bundleId }) => ({ botId: bot.botId, bundleId })) : [],
  );
  const claimed = await tx<{ bundleId: number }[]>`
    delete from pending_bundles using ${rowTable(tx, 'bundle', bundles, {
      bot_id: ['text', ({ botId }) => botId],
      id: ['bigint', ({ bundleId }) => bundleId],
    })}
    where pending_bundles.bot_id = bundle.bot_id and bundle_id = bundle.id
    returning bundle_id as "bundleId"`;
  return { botIds, bundleIds: new Set(claimed.map(({ bundleId }) => bundleId)) };
}

/** The bot with the bundles that this transaction has claimed. */
export function onlyClaimed(bot: BotBatch, { bundleIds }: Claimed): BotBatch {
  return { ...bot, bundles: bot.bundles.filter(({ bundleId }) => bundleIds.has(bundleId)) };
}
