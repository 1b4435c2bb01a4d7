/**
 * Operations on conversations, one by one.
 */
import { Refusal } from '../errors.ts';
import {
  type Conversation,
  type ConversationPlace,
  pageOfConversations,
} from '../rollups/conversation-list.ts';
import { addDays, dayOf, dayStart } from '../time.ts';
import {
  isoOf,
  limitOf,
  type ManagementCall,
  type ManagementOperations,
  type ManagementSources,
  pageOf,
  platformOf,
  readCursor,
  textOf,
  zoneOf,
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
        after: readCursor(query, toConversationPlace),
        limit: limit + 1,
      });
      const { rows, nextCursor } = pageOf(found, limit, ({ firstAt, contactId }) => ({ firstAt, contactId }));
      return { zone, from, to, conversations: rows.map(toConversation), nextCursor };
    },
  };
}

/** The days asked for; left out: the 30 days up to today, in the bot's zone. */
function rangeOf(call: ManagementCall, now: number): { zone: string; from: string; to: string } {
  const { query } = call;
  const zone = zoneOf(call);
  const to = textOf(query.to) ?? dayOf(now, zone);
  const from = textOf(query.from) ?? addDays(to, 1 - daysShown);
  if (from > to) throw new Refusal('INPUT_INVALID', `from must not lie after to, ${to}.`);
  return { zone, from, to };
}

const contactIdForm = /^[A-Za-z]{1,64}$/;

export function toConversationPlace({
  firstAt,
  contactId,
}: Record<string, unknown>): ConversationPlace | null {
  const isTime = typeof firstAt === 'number' && Number.isFinite(new Date(firstAt).getTime());
  if (!isTime || typeof contactId !== 'string' || !contactIdForm.test(contactId)) return null;
  return { firstAt, contactId };
}

export function toConversation({ firstAt, lastAt, ...conversation }: Conversation) {
  return {
    ...conversation,
    firstAt: isoOf(firstAt),
    lastAt: isoOf(lastAt),
  };
}
