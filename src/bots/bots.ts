/**
 * Bots: one brand's accounts. All other data belongs to a bot.
 */

import { type ApiPair, addPair, type Making, replacePair } from '../auth/api-pairs.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { invalidInput, Refusal } from '../errors.ts';
import { newId } from '../random.ts';
import { isTimeZone } from '../time.ts';

export const linePrograms = ['輕用量', '中用量', '高用量'] as const;
export type LineProgram = (typeof linePrograms)[number];

export type Bot = {
  botId: string;
  name: string;
  /** IANA name; decides the bot's days. */
  timeZone: string;
  /** A longer pause between two messages begins a new conversation. */
  conversationGapSeconds: number;
  /** LINE's plan set by the owner; null: derived from the quota. */
  lineProgram: LineProgram | null;
};

const botIdLength = 9;
const nameLengthMax = 200;
const gapSecondsMax = 7 * 86_400;

/** Adds a bot with its API pair, which is returned only here. The id has 9 letters. Throws Refusal INPUT_INVALID (name, time zone). */
export async function createBot(
  sql: Sql,
  { name, timeZone }: { name: string; timeZone: string },
  making: Making,
): Promise<{ botId: string } & ApiPair> {
  checkName(name);
  checkTimeZone(timeZone);
  const botId = newId(making.random, botIdLength);
  return sql.begin(async (tx) => {
    await tx`
      insert into bots (bot_id, name, time_zone, created_at)
      values (${botId}, ${name}, ${timeZone}, ${new Date(making.now)})`;
    return { botId, ...(await addPair(tx, botId, making)) };
  });
}

/** All bots, oldest first. */
export async function listBots(sql: Queryable): Promise<Bot[]> {
  return sql<Bot[]>`select ${columns(sql)} from bots order by created_at, bot_id`;
}

/** A page of bots in the order of their ids, after `after` (null: from the first), at most `limit`; `botIds` null: all bots. */
export async function pageOfBots(
  sql: Queryable,
  { botIds, after, limit }: { botIds: readonly string[] | null; after: string | null; limit: number },
): Promise<Bot[]> {
  return sql<Bot[]>`
    select ${columns(sql)} from bots
    where bot_id > ${after ?? ''}
      ${botIds === null ? sql`` : sql`and bot_id = any(${botIds as string[]}::text[])`}
    order by bot_id limit ${limit}`;
}

/** The bot. Throws BOT_NOT_FOUND. */
export async function findBot(sql: Queryable, botId: string): Promise<Bot> {
  const [bot] = await sql<Bot[]>`
    select ${columns(sql)} from bots where bot_id = ${botId}`;
  if (!bot) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${botId}.`);
  return bot;
}

/** The bot, locked until the transaction ends. Changes of stored figures need this lock. Throws BOT_NOT_FOUND. */
export async function lockBot(tx: Transaction, botId: string): Promise<Bot> {
  const [bot] = await tx<Bot[]>`
    select ${columns(tx)} from bots where bot_id = ${botId} for no key update`;
  if (!bot) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${botId}.`);
  return bot;
}

export type BotChanges = Partial<Pick<Bot, 'name' | 'timeZone' | 'conversationGapSeconds' | 'lineProgram'>>;

/**
 * Changes a locked bot; omitted fields stay. `recountNeeded`: the stored figures no longer fit (another zone or gap), so the
 * transaction must recount. Safe to repeat. Throws Refusal INPUT_INVALID.
 */
export async function changeBot(
  tx: Transaction,
  before: Bot,
  changes: BotChanges,
): Promise<{ bot: Bot; recountNeeded: boolean }> {
  checkChanges(changes);
  const bot = { ...before, ...changes };
  await tx`
    update bots set name = ${bot.name}, time_zone = ${bot.timeZone},
      conversation_gap_seconds = ${bot.conversationGapSeconds}, line_program = ${bot.lineProgram}
    where bot_id = ${bot.botId}`;
  const recountNeeded =
    bot.timeZone !== before.timeZone || bot.conversationGapSeconds !== before.conversationGapSeconds;
  return { bot, recountNeeded };
}

/** Replaces the bot's API pair; the previous one becomes invalid. Throws Refusal BOT_NOT_FOUND. */
export async function renewPair(sql: Sql, botId: string, making: Making): Promise<ApiPair> {
  return sql.begin(async (tx) => {
    await lockBot(tx, botId);
    return replacePair(tx, botId, making);
  });
}

function columns(sql: Queryable) {
  return sql`bot_id as "botId", name, time_zone as "timeZone",
    conversation_gap_seconds as "conversationGapSeconds", line_program as "lineProgram"`;
}

function checkChanges({ name, timeZone, conversationGapSeconds: gap, lineProgram }: BotChanges): void {
  if (name !== undefined) checkName(name);
  if (timeZone !== undefined) checkTimeZone(timeZone);
  if (gap !== undefined && !(Number.isInteger(gap) && gap >= 1 && gap <= gapSecondsMax)) {
    throw invalidInput(
      `The conversation gap must be a whole number of seconds from 1 to ${gapSecondsMax}, not ${gap}.`,
    );
  }
  if (lineProgram && !linePrograms.includes(lineProgram)) {
    throw invalidInput(
      `The LINE program must be one of ${linePrograms.join(', ')}, not ${JSON.stringify(lineProgram)}.`,
    );
  }
}

function checkName(name: string): void {
  if (name.trim().length >= 1 && name.length <= nameLengthMax && !/[\p{Cc}\p{Cs}]/u.test(name)) return;
  throw invalidInput(
    `A bot's name has 1 to ${nameLengthMax} characters and no control characters, not ${JSON.stringify(name.slice(0, nameLengthMax + 1))}.`,
  );
}

function checkTimeZone(timeZone: string): void {
  if (isTimeZone(timeZone)) return;
  throw invalidInput(`The time zone must be a name such as Asia/Taipei, not ${JSON.stringify(timeZone)}.`);
}
