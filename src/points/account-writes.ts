/**
 * What changes made of locked accounts, written in one round trip: new entries and lots, what is left in known lots, sums.
 */
import type { Transaction } from '../database/database.ts';
import { type Account, type Entry, type Lot, nextExpiryAt } from './account.ts';

/** Writes what the changes made of the accounts. Once, in the transaction that holds their lock. */
export async function saveAccounts(
  tx: Transaction,
  botId: string,
  accounts: readonly Account[],
): Promise<void> {
  const written = accounts.filter(({ entries }) => entries.length > 0);
  const lots = written.flatMap(({ contactId, lots }) => lots.map((lot) => ({ ...lot, contactId })));
  await Promise.all([
    insertEntries(
      tx,
      botId,
      written.flatMap(({ entries }) => entries),
    ),
    insertLots(
      tx,
      botId,
      lots.filter(({ lotId }) => lotId === null),
    ),
    updateLots(
      tx,
      botId,
      lots.filter(({ lotId, changed }) => lotId !== null && changed),
    ),
    updateAccounts(tx, botId, written),
  ]);
}

async function insertEntries(tx: Transaction, botId: string, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  await tx`
    insert into point_entries (bot_id, contact_id, kind, amount, balance_after, expires_at, key, created_at)
    select ${botId}, contact_id, kind, amount, balance_after, expires_at, key, created_at
    from unnest(${entries.map(({ contactId }) => contactId)}::text[], ${entries.map(({ kind }) => kind)}::text[],
      ${entries.map(({ amount }) => amount)}::bigint[], ${entries.map(({ balanceAfter }) => balanceAfter)}::bigint[],
      ${entries.map(({ expiresAt }) => isoOrNull(expiresAt))}::timestamptz[], ${entries.map(({ key }) => key)}::text[],
      ${entries.map(({ createdAt }) => isoOrNull(createdAt))}::timestamptz[])
      with ordinality as new (contact_id, kind, amount, balance_after, expires_at, key, created_at, position)
    order by position`;
}

type LotOfContact = Lot & { contactId: string };

async function insertLots(tx: Transaction, botId: string, lots: readonly LotOfContact[]): Promise<void> {
  if (lots.length === 0) return;
  await tx`
    insert into point_lots (bot_id, contact_id, amount, remaining, expires_at)
    select ${botId}, contact_id, amount, remaining, expires_at
    from unnest(${lots.map(({ contactId }) => contactId)}::text[], ${lots.map(({ amount }) => amount)}::bigint[],
      ${lots.map(({ remaining }) => remaining)}::bigint[], ${lots.map(({ expiresAt }) => isoOrNull(expiresAt))}::timestamptz[])
      with ordinality as new (contact_id, amount, remaining, expires_at, position)
    order by position`;
}

async function updateLots(tx: Transaction, botId: string, lots: readonly LotOfContact[]): Promise<void> {
  if (lots.length === 0) return;
  const contactIds = lots.map(({ contactId }) => contactId);
  await tx`
    update point_lots lot set remaining = new.remaining
    from unnest(${contactIds}::text[], ${lots.map(({ lotId }) => lotId)}::bigint[],
      ${lots.map(({ remaining }) => remaining)}::bigint[]) as new (contact_id, lot_id, remaining)
    where lot.bot_id = ${botId} and lot.contact_id = any(${contactIds})
      and lot.contact_id = new.contact_id and lot.lot_id = new.lot_id`;
}

async function updateAccounts(tx: Transaction, botId: string, accounts: readonly Account[]): Promise<void> {
  if (accounts.length === 0) return;
  const contactIds = accounts.map(({ contactId }) => contactId);
  await tx`
    update point_accounts account set balance = new.balance, next_expiry_at = new.next_expiry_at
    from unnest(${contactIds}::text[], ${accounts.map(({ balance }) => balance)}::bigint[],
      ${accounts.map((account) => isoOrNull(nextExpiryAt(account)))}::timestamptz[])
      as new (contact_id, balance, next_expiry_at)
    where account.bot_id = ${botId} and account.contact_id = any(${contactIds})
      and account.contact_id = new.contact_id`;
}

function isoOrNull(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
