/**
 * Operations on a contact's timeline: its events and its conversations.
 */
import { findContact } from '../../contacts/contacts.ts';
import { type TimelineEvent, timelineOf } from '../../events/timeline.ts';
import type { JsonObject } from '../../json.ts';
import { pageOfConversations } from '../../reports/conversations.ts';
import { endOfTime, firstTime, isTime } from '../../time.ts';
import { isoOf } from '../iso.ts';
import { toConversation, toConversationPlace } from './conversations.ts';
import type { Operations, Sources } from './operation.ts';
import { readPage } from './paging.ts';

const always = { from: firstTime, until: endOfTime };

export function contactStoryOperations({ sql }: Sources) {
  return {
    async listContactEvents({ bot: { botId }, params, query }) {
      const { contactId } = await findContact(sql, botId, params.contactId);
      const { rows, nextCursor } = await readPage(query, toPlace, (page) =>
        timelineOf(sql, botId, { contactId, ...page }),
      );
      return { contactId, events: rows.map(toEvent), nextCursor };
    },
    async listContactConversations({ bot: { botId }, params, query }) {
      const { contactId } = await findContact(sql, botId, params.contactId);
      const { rows, nextCursor } = await readPage(query, toConversationPlace, (page) =>
        pageOfConversations(sql, botId, { ...always, platform: null, contactId, ...page }),
      );
      return { contactId, conversations: rows.map(toConversation), nextCursor };
    },
  } satisfies Partial<Operations>;
}

function toEvent({ kind, detail, happenedAt, receivedAt }: TimelineEvent) {
  return { kind, detail, happenedAt: isoOf(happenedAt), receivedAt: isoOf(receivedAt) };
}

function toPlace({ happenedAt, place }: JsonObject) {
  return isTime(happenedAt) && typeof place === 'string' && /^[0-9a-f]{64}$/.test(place)
    ? { happenedAt, place }
    : null;
}
