/**
 * The export of granted gifts by contact, then by order of granting.
 */
import { isoOf, isWithin, tableOf } from './table.ts';

export const gifts = tableOf({
  columns: {
    contact_id: 'plain',
    platform: 'plain',
    platform_contact_id: 'text',
    grant_id: 'plain',
    gift: 'text',
    kind: 'plain',
    resource: 'text',
    key: 'text',
    granted_at: 'plain',
    granted_day: { dayOf: 'granted_at' },
    redeemed_at: 'plain',
  },
  source: (tx, scope) => tx`
    from gift_grants granted
    where granted.bot_id = ${scope.bot.botId} and ${isWithin(tx, 'granted.granted_at', scope)}`,
  select: (tx, source, { bot: { botId } }) => tx`
    select granted.contact_id, contact.platform, contact.platform_contact_id, granted.grant_id, gift.name as gift, gift.kind,
      gift.resource, granted.key, ${isoOf(tx, 'granted.granted_at')} as granted_at, null as granted_day,
      ${isoOf(tx, 'granted.redeemed_at')} as redeemed_at
    from (select granted.* ${source}) granted
    join gifts gift on gift.bot_id = ${botId} and gift.gift_id = granted.gift_id
    left join lateral (
      select platform, platform_contact_id from contacts
      where contacts.bot_id = ${botId} and contacts.contact_id = granted.contact_id limit 1
    ) contact on true
    order by granted.contact_id, granted.grant_id`,
});
