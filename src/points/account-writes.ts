/**
 * What changes made of locked accounts, written in one round trip: new entries and lots, what is left in known lots, sums.
 */
import type { Transaction } from '../database/database.ts';
import { type Change, tell } from '../outgoing/outbox.ts';
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
    tellEntries(
      tx,
      botId,
      written.flatMap(({ entries }) => entries),
    ),
  ]);
}

/** An entry of 0 (a clear that found nothing) changes no points. */
async function tellEntries(tx: Transaction, botId: string, entries: readonly Entry[]): Promise<void> {
  const changes = entries.filter(({ amount }) => amount !== 0).map(toChange);
  await tell(tx, botId, changes, { now: changes[0]?.at ?? 0 });
}

function toChange({ contactId, kind, amount, balanceAfter, key, expiresAt, createdAt }: Entry): Change {
  const data = { kind, amount, available: balanceAfter, key, expiresAt: isoOrNull(expiresAt) };
  return { type: 'points.changed', contactId, at: createdAt, data };
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

// Rows that are known to be there are written as upserts: that finds each by its key, while the planner of an update that is
// joined to a list may choose to read all rows of the bot.

async function updateLots(tx: Transaction, botId: string, lots: readonly LotOfContact[]): Promise<void> {
  if (lots.length === 0) return;
  await tx`
    insert into point_lots (bot_id, contact_id, lot_id, amount, remaining)
    select ${botId}, contact_id, lot_id, amount, remaining
    from unnest(${lots.map(({ contactId }) => contactId)}::text[], ${lots.map(({ lotId }) => lotId)}::bigint[],
      ${lots.map(({ amount }) => amount)}::bigint[], ${lots.map(({ remaining }) => remaining)}::bigint[])
      as new (contact_id, lot_id, amount, remaining)
    on conflict (bot_id, contact_id, lot_id) do update set remaining = excluded.remaining`;
}

async function updateAccounts(tx: Transaction, botId: string, accounts: readonly Account[]): Promise<void> {
  if (accounts.length === 0) return;
  await tx`
    insert into point_accounts (bot_id, contact_id, balance, next_expiry_at)
    select ${botId}, contact_id, balance, next_expiry_at
    from unnest(${accounts.map(({ contactId }) => contactId)}::text[], ${accounts.map(({ balance }) => balance)}::bigint[],
      ${accounts.map((account) => isoOrNull(nextExpiryAt(account)))}::timestamptz[])
      as new (contact_id, balance, next_expiry_at)
    on conflict (bot_id, contact_id) do update set balance = excluded.balance, next_expiry_at = excluded.next_expiry_at`;
}

function isoOrNull(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
