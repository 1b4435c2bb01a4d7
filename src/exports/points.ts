/**
 * The export of the ledger's entries by contact, then by order of writing: `balance_after` is the sum of the contact's amounts up
 * to that entry.
 */
import { isoOf, isWithin, tableOf } from './table.ts';

export const points = tableOf({
  columns: {
    contact_id: 'plain',
    platform: 'plain',
    platform_contact_id: 'text',
    entry_id: 'plain',
    kind: 'plain',
    amount: 'plain',
    balance_after: 'plain',
    expires_at: 'plain',
    key: 'text',
    created_at: 'plain',
    created_day: { dayOf: 'created_at' },
  },
  source: (tx, scope) => tx`
    from point_entries entry
    where entry.bot_id = ${scope.bot.botId} and ${isWithin(tx, 'entry.created_at', scope)}`,
  select: (tx, source, { bot: { botId } }) => tx`
    select entry.contact_id, contact.platform, contact.platform_contact_id, entry.entry_id, entry.kind, entry.amount,
      entry.balance_after, ${isoOf(tx, 'entry.expires_at')} as expires_at, entry.key,
      ${isoOf(tx, 'entry.created_at')} as created_at, null as created_day
    from (select entry.* ${source}) entry
    left join lateral (
      select platform, platform_contact_id from contacts
      where contacts.bot_id = ${botId} and contacts.contact_id = entry.contact_id limit 1
    ) contact on true
    order by entry.contact_id, entry.entry_id`,
});
