/**
 * Operations on conversations, one by one.
 */
import { Refusal } from '../errors.ts';
import {
  type Conversation,
  type ConversationPlace,
  pageOfConversations,
} from '../rollups/conversation-list.ts';
import { addDays, dayOf, dayStart, isTimeZone } from '../time.ts';
import {
  limitOf,
  type ManagementCall,
  type ManagementOperations,
  type ManagementSources,
  pageOf,
  platformOf,
  readCursor,
  textOf,
} from './management-call.ts';

const daysShown = 30;

export function conversationOperations({ sql, clock }: ManagementSources): ManagementOperations {
  return {
    async listConversations(call) {
      const { bot, query } = call;
      const { zone, from, to } = rangeOf(call, clock());
      const limit = limitOf(query);
      const found = await pageOfConversations(sql, bot.botId, {
        from: dayStart(from, zone),
        until: dayStart(addDays(to, 1), zone),
        platform: platformOf(query.platform),
        contactId: textOf(query.contactId) ?? null,
        after: readCursor(query, toPlace),
        limit: limit + 1,
      });
      const { rows, nextCursor } = pageOf(found, limit, ({ firstAt, contactId }) => ({ firstAt, contactId }));
      return { zone, from, to, conversations: rows.map(toConversation), nextCursor };
    },
  };
}

/** The days asked for; left out: the 30 days up to today, in the bot's zone. */
function rangeOf({ bot, query }: ManagementCall, now: number): { zone: string; from: string; to: string } {
  const zone = textOf(query.zone) ?? bot.timeZone;
  if (!isTimeZone(zone)) {
    throw new Refusal(
      'INPUT_INVALID',
      `zone must be a name such as Asia/Taipei, not ${JSON.stringify(zone)}.`,
    );
  }
  const to = textOf(query.to) ?? dayOf(now, zone);
  const from = textOf(query.from) ?? addDays(to, 1 - daysShown);
  if (from > to) throw new Refusal('INPUT_INVALID', `from must not lie after to, ${to}.`);
  return { zone, from, to };
}

const contactIdForm = /^[A-Za-z]{1,64}$/;

function toPlace({ firstAt, contactId }: Record<string, unknown>): ConversationPlace | null {
  const isTime = typeof firstAt === 'number' && Number.isFinite(new Date(firstAt).getTime());
  if (!isTime || typeof contactId !== 'string' || !contactIdForm.test(contactId)) return null;
  return { firstAt, contactId };
}

function toConversation({ firstAt, lastAt, ...conversation }: Conversation) {
  return {
    ...conversation,
    firstAt: new Date(firstAt).toISOString(),
    lastAt: new Date(lastAt).toISOString(),
  };
}
