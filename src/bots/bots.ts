/**
 * Bots: one brand's set of accounts, and the unit that everything else is kept by.
 */
import type { Queryable, Transaction } from '../database/database.ts';
import { Refusal } from '../errors.ts';

export type Bot = {
  botId: string;
  name: string;
  /** IANA name; decides the bot's days. */
  timeZone: string;
  /** Two messages further apart than this begin a new conversation. */
  conversationGapSeconds: number;
  /** LINE's plan as the owner set it; null: derived from the quota. */
  lineProgram: string | null;
};

/** The bot. Throws BOT_NOT_FOUND. */
export async function findBot(sql: Queryable, botId: string): Promise<Bot> {
  const [bot] = await sql<Bot[]>`
    select bot_id as "botId", name, time_zone as "timeZone",
      conversation_gap_seconds as "conversationGapSeconds", line_program as "lineProgram"
    from bots where bot_id = ${botId}`;
  if (!bot) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${botId}.`);
  return bot;
}

/** The bot, locked until the transaction ends: whoever changes kept figures holds this lock. Throws BOT_NOT_FOUND. */
export async function lockBot(tx: Transaction, botId: string): Promise<Bot> {
  const [bot] = await tx<Bot[]>`
    select bot_id as "botId", name, time_zone as "timeZone",
      conversation_gap_seconds as "conversationGapSeconds", line_program as "lineProgram"
    from bots where bot_id = ${botId} for no key update`;
  if (!bot) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${botId}.`);
  return bot;
}
