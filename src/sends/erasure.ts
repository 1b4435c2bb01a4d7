/**
 * Deletes a person from sends: the results are deleted, and the numbers of the sends stay. Recipients without a result count as left out.
 * A filter that names the person no longer does.
 */
import type { Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';

/** Safe to repeat. */
export async function eraseRecipients(
  tx: Transaction,
  botId: string,
  contactIds: readonly string[],
): Promise<void> {
  const ids = textList(contactIds);
  // In the order of claims and results: the sends first.
  await tx`
    select from sends where bot_id = ${botId} and send_id in (
      select send_id from send_recipients where bot_id = ${botId} and contact_id = any (${ids}::text[]))
    order by send_id for update`;
  await tx`
    with deleted as (
      delete from send_recipients where bot_id = ${botId} and contact_id = any (${ids}::text[])
      returning send_id, state
    )
    update sends set blocked = blocked + pending.count
    from (
      select send_id, count(*) as count from deleted where state in ('planned', 'waiting') group by send_id
    ) pending
    where bot_id = ${botId} and sends.send_id = pending.send_id`;
}

/** In place of a customer id or name of a filter. */
const deletedText = '(deleted)';
const deletedCustomerId = JSON.stringify({ customerId: deletedText });
const deletedName = JSON.stringify({ name: deletedText });

/**
 * Replaces the customer ids and names of the contacts in the filters of sends, before their profiles are deleted. Such a send gets no
 * more recipients, so the new text is never looked up. Safe to repeat.
 */
export async function eraseFromFilters(
  tx: Transaction,
  botId: string,
  contactIds: readonly string[],
): Promise<void> {
  await tx`
    with replaced as (
      select sends.send_id, bool_or(audience->>'customerId' = profile.customer_id) as has_customer_id,
        bool_or(lower(audience->>'name') = lower(profile.name)) as has_name
      from sends join contact_profiles profile
        on profile.bot_id = ${botId} and profile.contact_id = any (${textList(contactIds)}::text[])
      where sends.bot_id = ${botId} and audience is not null
      group by sends.send_id
    )
    update sends set planned = true, audience = audience
      || case when has_customer_id then ${deletedCustomerId}::text::jsonb else '{}' end
      || case when has_name then ${deletedName}::text::jsonb else '{}' end
    from replaced
    where bot_id = ${botId} and sends.send_id = replaced.send_id and (has_customer_id or has_name)`;
}
