/**
 * Changes a bot together with its figures: another time zone or gap needs a recount, in the same transaction. Until the commit, readers
 * see the former settings and figures; deliveries are stored and folded afterwards.
 */
import { type Bot, type BotChanges, changeBot, lockBot } from '../bots/bots.ts';
import type { Queryable, Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { type RecountOptions, recountLocked } from './recount.ts';

export type BotUpdate = {
  /** May throw to refuse the change; receives the locked bot before it. */
  allow?(before: Bot): void;
  /** A bot with more events is refused. */
  eventsMax?: number;
  progress?: RecountOptions['progress'];
};

/**
 * Changes the settings in `changes`; others stay. Idempotent. Throws Refusal INPUT_INVALID, BOT_NOT_FOUND, RECOUNT_TOO_LARGE (then
 * nothing changes), and the errors of `allow`.
 */
export async function updateBot(
  sql: Sql,
  botId: string,
  changes: BotChanges,
  { allow, eventsMax = Number.POSITIVE_INFINITY, progress = () => undefined }: BotUpdate = {},
): Promise<{ bot: Bot; recounted: boolean }> {
  return sql.begin(async (tx) => {
    const before = await lockBot(tx, botId);
    allow?.(before);
    const { bot, recountNeeded } = await changeBot(tx, before, changes);
    if (recountNeeded) {
      if (Number.isFinite(eventsMax))
        await refuseLarge(tx, botId, { eventsMax, instead: `shoal bot set ${botId}` });
      await recountLocked(tx, bot, progress);
    }
    return { bot, recounted: recountNeeded };
  });
}

/** Throws Refusal RECOUNT_TOO_LARGE if the bot has more events. `instead`: the command without that limit. */
export async function refuseLarge(
  sql: Queryable,
  botId: string,
  { eventsMax, instead }: { eventsMax: number; instead: string },
): Promise<void> {
  const more = await sql`select from events where bot_id = ${botId} offset ${eventsMax} limit 1`;
  if (more.length === 0) return;
  throw new Refusal(
    'RECOUNT_TOO_LARGE',
    `The bot has more than ${eventsMax} events, so a recount takes too long for a call: use ${instead}.`,
  );
}
