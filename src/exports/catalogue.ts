/**
 * The export of the catalogue of gifts by name. The import of the catalogue reads the same columns.
 */
import { isoOf, isWithin, type Query, tableOf } from './table.ts';

export const catalogueQuery: Query = {
  columns: {
    gift_id: 'plain',
    name: 'text',
    kind: 'plain',
    resource: 'text',
    is_default: 'boolean',
    stock: 'plain',
    granted: 'plain',
    expires_at: 'plain',
    created_at: 'plain',
    created_day: { dayOf: 'created_at' },
  },
  source: (tx, scope) => tx`
    from gifts where gifts.bot_id = ${scope.bot.botId} and ${isWithin(tx, 'gifts.created_at', scope)}`,
  select: (tx, source) => tx`
    select gift_id, name, kind, resource, is_default, stock, granted, ${isoOf(tx, 'gifts.expires_at')} as expires_at,
      ${isoOf(tx, 'gifts.created_at')} as created_at, null as created_day
    ${source} order by gifts.name`,
};

export const catalogue = { ...tableOf(catalogueQuery), isPersonal: false };
