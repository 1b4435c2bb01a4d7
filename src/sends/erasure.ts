/**
 * Deletes a person from sends: the results are deleted, and the numbers of the sends stay. Recipients without a result count as left out.
 * A filter that names the person no longer does.
 */
import type { Queryable, Transaction } from '../database/client.ts';
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
/** Marks a filter that loses its name when its recipients are planned. */
const namedDeleted = 'namesDeleted';

/**
 * Replaces the customer ids and names of the contacts in the filters of sends, before their profiles are deleted. A send to the customer
 * or to the full name gets no more recipients. A part of the name may find other contacts, so it stays until the recipients are planned.
 * Safe to repeat.
 */
export async function eraseFromFilters(
  tx: Transaction,
  botId: string,
  contactIds: readonly string[],
): Promise<void> {
  await tx`
    with filters as (
      select send_id, normalize(audience->>'customerId', nfc) as customer_id, lower(normalize(audience->>'name', nfc)) as name
      from sends where bot_id = ${botId} and audience is not null
    ), naming as (
      select filters.send_id, bool_or(filters.customer_id = profile.customer_id) as has_customer_id,
        bool_or(filters.name = lower(profile.name)) as has_name,
        bool_or(filters.name <> '' and strpos(lower(profile.name), filters.name) > 0) as has_part
      from filters join contact_profiles profile
        on profile.bot_id = ${botId} and profile.contact_id = any (${textList(contactIds)}::text[])
      group by filters.send_id
    )
    update sends set planned = planned or coalesce(has_customer_id, false) or coalesce(has_name, false),
      audience = audience
        || case when has_customer_id then ${deletedCustomerId}::text::jsonb else '{}' end
        || case when has_part then ${JSON.stringify({ [namedDeleted]: true })}::text::jsonb else '{}' end
    from naming
    where bot_id = ${botId} and sends.send_id = naming.send_id and (has_customer_id or has_part)`;
  await eraseNames(tx, { botId, sendId: null });
}

/** Replaces the names of marked filters that find no more recipients, of one send or of all. Safe to repeat. */
export async function eraseNames(
  sql: Queryable,
  { botId, sendId }: { botId: string; sendId: number | null },
): Promise<void> {
  await sql`
    update sends set audience = (audience - ${namedDeleted}::text) || ${deletedName}::text::jsonb
    where bot_id = ${botId} ${sendId === null ? sql`` : sql`and send_id = ${sendId}`}
      and audience->>${namedDeleted}::text = 'true' and (planned or state in ('stopped', 'done'))`;
}
