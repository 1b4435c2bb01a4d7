/**
 * The export of events by platform and key. That is the order of the primary key, so an export starts at once and sorts nothing.
 */
import { isoOf, isWithin, tableOf } from './table.ts';

export const events = tableOf({
  columns: ['platform', 'key', 'kind', 'detail', 'contact_id', 'happened_at', 'happened_day', 'received_at'],
  days: { happened_day: 'happened_at' },
  source: (tx, scope) => tx`
    from events
    where events.bot_id = ${scope.bot.botId} and ${isWithin(tx, 'events.happened_at', scope)}`,
  select: (tx, source) => tx`
    select platform, key, kind, detail, contact_id, ${isoOf(tx, 'events.happened_at')} as happened_at,
      null as happened_day, ${isoOf(tx, 'events.received_at')} as received_at
    ${source}
    order by platform, key`,
});
