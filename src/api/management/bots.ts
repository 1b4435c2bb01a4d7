/**
 * Operations on bots and their API pairs. Only the answer that creates a pair contains its secret.
 */
import { type Bot, createBot, pageOfBots, renewPair } from '../../bots/bots.ts';
import { Refusal } from '../../errors.ts';
import { checkMatch } from '../../http/entity-tag.ts';
import { updateBot } from '../../rebuild/update-bot.ts';
import { recountedEventsMax } from './checks.ts';
import type { Operations, Sources } from './operation.ts';
import { cursorPlace, isId, readPage } from './paging.ts';

const defaultTimeZone = 'Asia/Taipei';

export function botOperations({ sql, keys, clock, random }: Sources) {
  const making = () => ({ now: clock(), random, keys });
  return {
    async listBots({ caller: { botIds }, query }) {
      const { rows, nextCursor } = await readPage(query, cursorPlace({ botId: isId }), ({ after, limit }) =>
        pageOfBots(sql, { botIds, after: after?.botId ?? null, limit }),
      );
      return { bots: rows, nextCursor };
    },
    async createBot({ caller, body: { name, timeZone = defaultTimeZone } }) {
      if (caller.botIds !== null) {
        throw new Refusal('SCOPE_TOO_SMALL', 'Only a token for all bots may create one.');
      }
      return createBot(sql, { name, timeZone }, making());
    },
    getBot: async ({ bot }) => bot,
    async updateBot({ bot: { botId }, body, headers }) {
      const allow = (before: Bot) => checkMatch(headers, before, 'The bot');
      return (await updateBot(sql, botId, body, { allow, eventsMax: recountedEventsMax })).bot;
    },
    async renewApiPair({ bot: { botId } }) {
      return { botId, ...(await renewPair(sql, botId, making())) };
    },
  } satisfies Partial<Operations>;
}
