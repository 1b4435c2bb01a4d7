/**
 * Changes of a bot together with its figures: another zone or another gap, and everything counted anew by it, in one
 * transaction. Who reads meanwhile sees the bot and its figures as they were; deliveries are taken in and folded afterwards.
 */
import { type Bot, type BotChanges, changeBot, lockBot } from '../bots/bots.ts';
import type { Queryable, Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { type RecountOptions, recountLocked } from './recount.ts';

export type BotUpdate = {
  /** May refuse the change; given the bot as it is, locked. */
  allow?(before: Bot): void;
  /** A bot with more events is not recounted here. */
  eventsMax?: number;
  progress?: RecountOptions['progress'];
};

/**
 * Changes what is given and leaves the rest. Safe to repeat. Throws Refusal INPUT_INVALID, BOT_NOT_FOUND, RECOUNT_TOO_LARGE
 * (then nothing was changed), and what `allow` throws.
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
      if (Number.isFinite(eventsMax)) await refuseLarge(tx, botId, eventsMax);
      await recountLocked(tx, bot, progress);
    }
    return { bot, recounted: recountNeeded };
  });
}

async function refuseLarge(sql: Queryable, botId: string, eventsMax: number): Promise<void> {
  const more = await sql`select from events where bot_id = ${botId} offset ${eventsMax} limit 1`;
  if (more.length === 0) return;
  throw new Refusal(
    'RECOUNT_TOO_LARGE',
    `Another time zone or gap recounts the bot, which has more than ${eventsMax} events: use shoal bot set ${botId}.`,
  );
}
