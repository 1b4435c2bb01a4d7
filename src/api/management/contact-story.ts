/**
 * Operations that tell a contact's story: what happened with it, and its conversations.
 */
import { findContact } from '../../contacts/contacts.ts';
import { type StoryEvent, storyOf } from '../../events/store.ts';
import type { JsonObject } from '../../json.ts';
import { pageOfConversations } from '../../reports/conversations.ts';
import { endOfTime, firstTime, isTime } from '../../time.ts';
import {
  contactIdOf,
  isoOf,
  limitOf,
  type ManagementOperations,
  type ManagementSources,
  pageOf,
  readCursor,
} from './call.ts';
import { toConversation, toConversationPlace } from './conversations.ts';

const always = { from: firstTime, until: endOfTime };

export function contactStoryOperations({ sql }: ManagementSources): ManagementOperations {
  return {
    async listContactEvents(call) {
      const { bot, query } = call;
      const { contactId } = await findContact(sql, bot.botId, contactIdOf(call));
      const limit = limitOf(query);
      const after = readCursor(query, toPlace);
      const events = await storyOf(sql, bot.botId, { contactId, after, limit: limit + 1 });
      const { rows, nextCursor } = pageOf(events, limit, ({ happenedAt, place }) => ({ happenedAt, place }));
      return { contactId, events: rows.map(toEvent), nextCursor };
    },
    async listContactConversations(call) {
      const { bot, query } = call;
      const { contactId } = await findContact(sql, bot.botId, contactIdOf(call));
      const limit = limitOf(query);
      const after = readCursor(query, toConversationPlace);
      const range = { ...always, platform: null, contactId, after, limit: limit + 1 };
      const found = await pageOfConversations(sql, bot.botId, range);
      const { rows, nextCursor } = pageOf(found, limit, ({ firstAt, contactId }) => ({ firstAt, contactId }));
      return { contactId, conversations: rows.map(toConversation), nextCursor };
    },
  };
}

function toEvent({ kind, detail, happenedAt, receivedAt }: StoryEvent) {
  return { kind, detail, happenedAt: isoOf(happenedAt), receivedAt: isoOf(receivedAt) };
}

function toPlace({ happenedAt, place }: JsonObject): Pick<StoryEvent, 'happenedAt' | 'place'> | null {
  return isTime(happenedAt) && typeof place === 'string' && /^[0-9a-f]{64}$/.test(place)
    ? { happenedAt, place }
    : null;
}
