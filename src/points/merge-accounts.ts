/**
 * Merging accounts: two contacts prove to be one person, or a deleted person's points move to an anonymous contact.
 */
import type { Transaction } from '../database/client.ts';
import { lockPair } from './account-lock.ts';

type Move = { botId: string; fromContactId: string; toContactId: string };

/**
 * Moves a contact's entries, lots and balance to another contact. Used keys stay known. Call it in the transaction that merges
 * the contacts. Safe to repeat.
 */
export async function mergeAccounts(
  tx: Transaction,
  { botId, fromContactId, toContactId }: Move,
): Promise<void> {
  await lockPair(tx, botId, [fromContactId, toContactId]);
  await Promise.all([
    tx`
      insert into point_lots (bot_id, contact_id, expires_at, remaining)
      select bot_id, ${toContactId}, expires_at, remaining from point_lots
      where bot_id = ${botId} and contact_id = ${fromContactId}
      on conflict (bot_id, contact_id, expires_at) do update set remaining = point_lots.remaining + excluded.remaining`,
    tx`delete from point_lots where bot_id = ${botId} and contact_id = ${fromContactId}`,
    tx`update point_entries set contact_id = ${toContactId} where bot_id = ${botId} and contact_id = ${fromContactId}`,
    tx`
      update point_accounts survivor
      set balance = survivor.balance + moved.balance, lasting = survivor.lasting + moved.lasting,
        next_expiry_at = least(survivor.next_expiry_at, moved.next_expiry_at)
      from point_accounts moved
      where survivor.bot_id = ${botId} and survivor.contact_id = ${toContactId}
        and moved.bot_id = ${botId} and moved.contact_id = ${fromContactId}`,
    // The row stays. A writer that waits for it finds no points and continues with the survivor, and so does a read.
    tx`
      update point_accounts set balance = 0, lasting = 0, next_expiry_at = null, platform = null
      where bot_id = ${botId} and contact_id = ${fromContactId}`,
    tx`
      update point_entries entry set balance_after = running.balance
      from (
        select entry_id, sum(amount) over (order by entry_id) as balance
        from point_entries where bot_id = ${botId} and contact_id = ${toContactId}
      ) running
      where entry.bot_id = ${botId} and entry.contact_id = ${toContactId}
        and entry.entry_id = running.entry_id and entry.balance_after <> running.balance`,
  ]);
}

/** Replaces reasons: their text may name the person. */
const erasedReason = 'forgotten';

/**
 * Moves a contact's points to an anonymous contact, erases the reasons, and points the other sides of transfers to it. Call it in
 * the transaction that deletes the contact, under the bot's lock. Safe to repeat.
 */
export async function anonymizeAccount(tx: Transaction, move: Move): Promise<void> {
  const { botId, toContactId } = move;
  await mergeAccounts(tx, move);
  await tx`
    update point_entries set reason = ${erasedReason}
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
