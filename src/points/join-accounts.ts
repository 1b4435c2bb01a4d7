/**
 * Two accounts become one, when their contacts prove to be one person.
 */
import type { Transaction } from '../database/client.ts';
import { lockPair } from './account-lock.ts';

/**
 * Hands one contact's points to another, in the transaction that joins the two: entries, lots and sums are the survivor's
 * from then on, and keys that were used with either stay known. Safe to repeat.
 */
export async function moveAccount(
  tx: Transaction,
  { botId, fromContactId, toContactId }: { botId: string; fromContactId: string; toContactId: string },
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
      update point_accounts kept
      set balance = kept.balance + moved.balance, lasting = kept.lasting + moved.lasting,
        next_expiry_at = least(kept.next_expiry_at, moved.next_expiry_at)
      from point_accounts moved
      where kept.bot_id = ${botId} and kept.contact_id = ${toContactId}
        and moved.bot_id = ${botId} and moved.contact_id = ${fromContactId}`,
    // The row stays: a writer that waits for it finds nothing there and goes on to the survivor.
    tx`
      update point_accounts set balance = 0, lasting = 0, next_expiry_at = null
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
