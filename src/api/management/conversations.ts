/**
 * Operations on conversations: the lists of a bot and of a contact, and their distribution by length.
 */
import { findContact } from '../../contacts/contacts.ts';
import { batchLoaded } from '../../http/batch.ts';
import { platformNames } from '../../platforms/platform.ts';
import {
  type ConversationDistribution,
  readConversationDistribution,
} from '../../reports/conversation-distribution.ts';
import { pageOfConversations } from '../../reports/conversations.ts';
import { endOfTime, firstTime, isTime } from '../../time.ts';
import { withIsoDates } from '../iso.ts';
import { daysOf, instantsOf, zoneOf } from './days.ts';
import type { Operations, Sources } from './operation.ts';
import { cursorPlace, isId, readPage } from './paging.ts';

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
      const { rows, nextCursor } = await readPage(query, toPlace, (page) =>
        pageOfConversations(sql, bot.botId, { ...instantsOf(days), platform, contactId, ...page }),
      );
      return { ...days, conversations: rows.map(withIsoDates), nextCursor };
    },
    async listContactConversations({ bot: { botId }, params, query }) {
      const { contactId } = await findContact(sql, botId, params.contactId);
      const { rows, nextCursor } = await readPage(query, toPlace, (page) =>
        pageOfConversations(sql, botId, { ...always, platform: null, contactId, ...page }),
      );
      return { contactId, conversations: rows.map(withIsoDates), nextCursor };
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

const always = { from: firstTime, until: endOfTime };
const toPlace = cursorPlace({ firstAt: isTime, contactId: isId });
