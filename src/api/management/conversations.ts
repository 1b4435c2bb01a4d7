/**
 * Operations on conversations, one by one.
 */

import { batched } from '../../http/batch.ts';
import { textOf } from '../../json.ts';
import { platformNames } from '../../platforms/platform.ts';
import { type ConversationSpread, readSpread } from '../../reports/conversation-distribution.ts';
import {
  type Conversation,
  type ConversationPlace,
  pageOfConversations,
} from '../../reports/conversations.ts';
import { isTime } from '../../time.ts';
import {
  daysOf,
  instantsOf,
  isoOf,
  limitOf,
  type ManagementOperations,
  type ManagementSources,
  namesOf,
  pageOf,
  platformOf,
  readCursor,
  zoneOf,
} from './call.ts';

/** A year. */
const spreadDaysMax = 366;
/** Counting goes through all conversations of the range; the other calls go on beside it. */
const countedAtOnceMax = 2;

type AskedSpread = { botId: string } & Parameters<typeof readSpread>[2];

export function conversationOperations({ sql, clock }: ManagementSources): ManagementOperations {
  const read = ({ botId, ...range }: AskedSpread) => readSpread(sql, botId, range);
  const readSpreadInTurn = batched<AskedSpread, ConversationSpread[]>((keys) => Promise.all(keys.map(read)), {
    runsMax: countedAtOnceMax,
    countMax: 1,
  });
  return {
    async listConversations(call) {
      const { bot, query } = call;
      const days = daysOf(call, { zone: zoneOf(call), now: clock() });
      const limit = limitOf(query);
      const found = await pageOfConversations(sql, bot.botId, {
        ...instantsOf(days),
        platform: platformOf(query.platform),
        contactId: textOf(query.contactId) ?? null,
        after: readCursor(query, toConversationPlace),
        limit: limit + 1,
      });
      const { rows, nextCursor } = pageOf(found, limit, ({ firstAt, contactId }) => ({ firstAt, contactId }));
      return { ...days, conversations: rows.map(toConversation), nextCursor };
    },
    async getConversationSpread(call) {
      const { botId, timeZone: zone } = call.bot;
      const days = daysOf(call, { zone, now: clock(), daysMax: spreadDaysMax });
      const platforms = namesOf(call.query.platforms, platformNames) ?? platformNames;
      const spread = await readSpreadInTurn({ botId, platforms, ...instantsOf(days) });
      return { botId, ...days, spread };
    },
  };
}

const contactIdForm = /^[A-Za-z]{1,64}$/;

export function toConversationPlace({
  firstAt,
  contactId,
}: Record<string, unknown>): ConversationPlace | null {
  if (!isTime(firstAt) || typeof contactId !== 'string' || !contactIdForm.test(contactId)) return null;
  return { firstAt, contactId };
}

export function toConversation({ firstAt, lastAt, ...conversation }: Conversation) {
  return {
    ...conversation,
    firstAt: isoOf(firstAt),
    lastAt: isoOf(lastAt),
  };
}
