/**
 * The export of conversations (figures.md, section 7), by time of the first message.
 */
import { isoOf, isWithin, tableOf } from './table.ts';

export const conversations = tableOf({
  columns: {
    contact_id: 'plain',
    platform: 'plain',
    first_at: 'plain',
    last_at: 'plain',
    day: { dayOf: 'first_at' },
    inbound: 'plain',
    outbound: 'plain',
    messages: 'plain',
    duration_ms: 'plain',
  },
  source: (tx, scope) => tx`
    from conversations
    where conversations.bot_id = ${scope.bot.botId} and inbound > 0
      and ${isWithin(tx, 'conversations.first_at', scope)}`,
  select: (tx, source) => tx`
    select contact_id, platform, ${isoOf(tx, 'conversations.first_at')} as first_at,
      ${isoOf(tx, 'conversations.last_at')} as last_at, null as day, inbound, outbound, inbound + outbound as messages,
      (extract(epoch from last_at - first_at) * 1000)::bigint as duration_ms
    ${source}
    order by conversations.first_at, contact_id`,
});
