/**
 * Operations on conversations: the list, and their distribution by length.
 */
import { batchLoaded } from '../../http/batch.ts';
import type { JsonObject } from '../../json.ts';
import { platformNames } from '../../platforms/platform.ts';
import {
  type ConversationDistribution,
  readConversationDistribution,
} from '../../reports/conversation-distribution.ts';
import { type Conversation, pageOfConversations } from '../../reports/conversations.ts';
import { isTime } from '../../time.ts';
import { isoOf } from '../iso.ts';
import { daysOf, instantsOf, zoneOf } from './days.ts';
import type { Operations, Sources } from './operation.ts';
import { isId, readPage } from './paging.ts';

/** A year. */
const spreadDaysMax = 366;
/** A count reads all conversations of the range. Other calls run at the same time. */
const countsAtOnceMax = 2;

type SpreadQuery = { botId: string } & Parameters<typeof readConversationDistribution>[2];

export function conversationOperations({ sql, clock }: Sources) {
  const read = ({ botId, ...range }: SpreadQuery) => readConversationDistribution(sql, botId, range);
  const readSpreadInTurn = batchLoaded<SpreadQuery, ConversationDistribution[]>(
    (keys) => Promise.all(keys.map(read)),
    {
      runsMax: countsAtOnceMax,
      countMax: 1,
    },
  );
  return {
    async listConversations(call) {
      const { bot, query } = call;
      const { platform = null, contactId = null } = query;
      const days = daysOf(call, { zone: zoneOf(call), now: clock() });
      const { rows, nextCursor } = await readPage(query, toConversationPlace, (page) =>
        pageOfConversations(sql, bot.botId, { ...instantsOf(days), platform, contactId, ...page }),
      );
      return { ...days, conversations: rows.map(toConversation), nextCursor };
    },
    async getConversationSpread(call) {
      const { botId, timeZone: zone } = call.bot;
      const { platforms = platformNames } = call.query;
      const days = daysOf(call, { zone, now: clock(), daysMax: spreadDaysMax });
      const spread = await readSpreadInTurn({ botId, platforms, ...instantsOf(days) });
      return { botId, ...days, spread };
    },
  } satisfies Partial<Operations>;
}

export function toConversationPlace({ firstAt, contactId }: JsonObject) {
  return isTime(firstAt) && isId(contactId) ? { firstAt, contactId } : null;
}

export function toConversation({ firstAt, lastAt, ...conversation }: Conversation) {
  return { ...conversation, firstAt: isoOf(firstAt), lastAt: isoOf(lastAt) };
}
