/**
 * The export of events, each once, in the order of platform and key. That is the order in which they are kept, so an export
 * begins at once and needs no room to sort, however many there are.
 */
import { isoOf, liesWithin, tableOf } from './table.ts';

export const events = tableOf({
  columns: ['platform', 'key', 'kind', 'detail', 'contact_id', 'happened_at', 'happened_day', 'received_at'],
  days: { happened_day: 'happened_at' },
  source: (tx, scope) => tx`
    from events
    where events.bot_id = ${scope.bot.botId} and ${liesWithin(tx, 'events.happened_at', scope)}`,
  select: (tx, source) => tx`
    select platform, key, kind, detail, contact_id, ${isoOf(tx, 'events.happened_at')} as happened_at,
      null as happened_day, ${isoOf(tx, 'events.received_at')} as received_at
    ${source}
    order by platform, key`,
});
