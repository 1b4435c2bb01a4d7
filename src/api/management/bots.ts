/**
 * Operations on bots and their API pairs. The secret of a pair is in the answer that makes it, and in no other.
 */
import {
  type Bot,
  type BotChanges,
  createBot,
  linePrograms,
  pageOfBots,
  renewPair,
} from '../../bots/bots.ts';
import { Refusal } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { textOf } from '../../json.ts';
import { updateBot } from '../../rebuild/update-bot.ts';
import {
  checkMatch,
  limitOf,
  type ManagementOperations,
  type ManagementSources,
  pageOf,
  readCursor,
} from './call.ts';

/** A bot with more is recounted by the command, which takes its time; this many take some seconds. */
const recountedEventsMax = 100_000;
const defaultTimeZone = 'Asia/Taipei';

export function botOperations({ sql, keys, clock, random }: ManagementSources): ManagementOperations {
  const making = () => ({ now: clock(), random, keys });
  return {
    async listBots({ caller, query }) {
      const limit = limitOf(query);
      const after = readCursor(query, ({ botId }) => textOf(botId) ?? null);
      const bots = await pageOfBots(sql, { botIds: caller.botIds, after, limit: limit + 1 });
      const { rows, nextCursor } = pageOf(bots, limit, ({ botId }) => ({ botId }));
      return { bots: rows, nextCursor };
    },
    async createBot({ caller, body }) {
      if (caller.botIds !== null) {
        throw new Refusal('SCOPE_TOO_SMALL', 'Only a token for all bots may make one.');
      }
      const asked = { name: String(body.name), timeZone: textOf(body.timeZone) ?? defaultTimeZone };
      return createBot(sql, asked, making());
    },
    getBot: async ({ bot }) => bot,
    async updateBot(call) {
      const allow = (before: Bot) => checkMatch(call, before, 'The bot');
      const update = { allow, eventsMax: recountedEventsMax };
      return (await updateBot(sql, call.bot.botId, toChanges(call.body), update)).bot;
    },
    async renewApiPair({ bot: { botId } }) {
      return { botId, ...(await renewPair(sql, botId, making())) };
    },
  };
}

function toChanges({ name, timeZone, conversationGapSeconds, lineProgram }: JsonObject): BotChanges {
  const program = linePrograms.find((known) => known === lineProgram) ?? null;
  return {
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof timeZone === 'string' ? { timeZone } : {}),
    ...(typeof conversationGapSeconds === 'number' ? { conversationGapSeconds } : {}),
    ...(lineProgram === undefined ? {} : { lineProgram: program }),
  };
}
