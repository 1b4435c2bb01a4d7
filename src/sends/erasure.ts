/**
 * Deletes a person from sends: the results are deleted, and the numbers of the sends stay. Recipients without a result count as left out.
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
