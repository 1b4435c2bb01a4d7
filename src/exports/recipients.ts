/**
 * The export of recipients of sends with their results, in the order of sends, then of sending: those of all sends, or of one.
 */
import { isPending } from '../sends/recipients.ts';
import { isoOf, isWithin, tableOf } from './table.ts';

export const recipients = tableOf({
  columns: {
    send_id: 'plain',
    send: 'text',
    position: 'plain',
    contact_id: 'plain',
    platform: 'plain',
    platform_contact_id: 'text',
    name: 'text',
    state: 'plain',
    code: 'text',
    message_id: 'text',
    settled_at: 'plain',
    settled_day: { dayOf: 'settled_at' },
    delivered_at: 'plain',
    read_at: 'plain',
  },
  source: (tx, { bot: { botId }, sendId, state, ...range }) => tx`
    from sends join send_recipients recipient on recipient.bot_id = ${botId} and recipient.send_id = sends.send_id
    where sends.bot_id = ${botId} and ${isWithin(tx, 'sends.created_at', range)}
      ${sendId === null ? tx`` : tx`and sends.send_id = ${sendId}`}
      ${state === null ? tx`` : state === 'pending' ? tx`and ${isPending(tx)}` : tx`and recipient.state = ${state}`}`,
  select: (tx, source, { bot: { botId } }) => tx`
    select recipient.send_id, recipient.send, recipient.position, recipient.contact_id, recipient.platform,
      contact.platform_contact_id, profile.name, case when ${isPending(tx)} then 'pending' else recipient.state end as state,
      recipient.code, recipient.message_id, ${isoOf(tx, 'recipient.settled_at')} as settled_at, null as settled_day,
      ${isoOf(tx, 'recipient.delivered_at')} as delivered_at, ${isoOf(tx, 'recipient.read_at')} as read_at
    from (select recipient.*, sends.name as send, sends.platform ${source}) recipient
    left join lateral (
      select platform_contact_id from contacts
      where contacts.bot_id = ${botId} and contacts.contact_id = recipient.contact_id limit 1
    ) contact on true
    left join lateral (
      select name from contact_profiles
      where contact_profiles.bot_id = ${botId} and contact_profiles.contact_id = recipient.contact_id limit 1
    ) profile on true
    order by recipient.send_id, recipient.position`,
});
