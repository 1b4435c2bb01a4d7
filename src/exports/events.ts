/**
 * The export of events by platform and key. That is the order of the primary key, so an export starts at once and sorts nothing.
 */
import { isoOf, isWithin, tableOf } from './table.ts';

export const events = tableOf({
  columns: {
    platform: 'plain',
    key: 'text',
    kind: 'plain',
    detail: 'text',
    contact_id: 'plain',
    happened_at: 'plain',
    happened_day: { dayOf: 'happened_at' },
    received_at: 'plain',
  },
  source: (tx, scope) => tx`
    from events
    where events.bot_id = ${scope.bot.botId} and ${isWithin(tx, 'events.happened_at', scope)}`,
  select: (tx, source) => tx`
    select platform, key, kind, detail, contact_id, ${isoOf(tx, 'events.happened_at')} as happened_at,
      null as happened_day, ${isoOf(tx, 'events.received_at')} as received_at
    ${source}
    order by platform, key`,
});
