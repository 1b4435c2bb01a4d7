/**
 * The export of conversations (figures.md, section 7), by time of the first message.
 */
import { isoOf, isWithin, tableOf } from './table.ts';

export const conversations = tableOf({
  columns: [
    'contact_id',
    'platform',
    'first_at',
    'last_at',
    'day',
    'inbound',
    'outbound',
    'messages',
    'duration_ms',
  ],
  days: { day: 'first_at' },
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
