/**
 * The points of a person who is forgotten: the ledger stays whole, nothing in it leads to the person.
 */
import type { Transaction } from '../database/client.ts';
import { moveAccount } from './join-accounts.ts';

/** Takes the place of reasons: whoever wrote them may have named the person. */
const reasonLeft = 'forgotten';

/**
 * Hands a contact's points to its stand-in, with the reasons taken out, and leads the other sides of its transfers there. In the
 * transaction that forgets the contact, under the bot's lock. Safe to repeat.
 */
export async function forgetAccount(
  tx: Transaction,
  { botId, fromContactId, toContactId }: { botId: string; fromContactId: string; toContactId: string },
): Promise<void> {
  await moveAccount(tx, { botId, fromContactId, toContactId });
  await tx`
    update point_entries set reason = ${reasonLeft}
    where bot_id = ${botId} and contact_id = ${toContactId} and reason is not null`;
  await tx`
    update point_entries other set counterpart_id = ${toContactId}
    from (
      select pair_id, coalesce((
        select merged_into from contacts where contacts.bot_id = ${botId} and contact_id = counterpart_id
      ), counterpart_id) as contact_id
      from point_entries where bot_id = ${botId} and contact_id = ${toContactId} and pair_id is not null
    ) own
    where other.bot_id = ${botId} and other.contact_id = own.contact_id and other.entry_id = own.pair_id`;
}
