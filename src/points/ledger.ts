/**
 * The points ledger: every change of a contact's points goes through here (figures.md, section 7).
 *
 *     lock the accounts → read what the changes need → apply the rules (account.ts) → write → commit
 *
 * Four round trips, whatever the number of changes. Writers of one account queue up at its row; the key of an entry is unique
 * in the bot, so a change happens once however often and wherever it is asked for. The caller's `now` only decides what has
 * run out; the order of entries is the order of the lock, so clocks that disagree cannot disturb it, and what was once written
 * off stays so.
 */
import type { Sql, Transaction } from '../database/database.ts';
import { Refusal } from '../errors.ts';
import { applyChange, checkChange, type Entry, type PointChange } from './account.ts';
import { type LockedAccounts, lockAccounts, lockPair, type Need } from './account-lock.ts';
import { saveAccounts } from './account-writes.ts';

export type PointResult = {
  contactId: string;
  key: string;
  kind: PointChange['kind'];
  /** What the change added to the balance. */
  amount: number;
  /** Available right after the change. */
  available: number;
  /** ms */
  at: number;
  /** True when the key was used before: this is that first result, and nothing was changed now. */
  repeated: boolean;
};

type Write = { botId: string; contactId: string; key: string };
type Now = { now: number };

const attemptsMax = 3;
const redirectsMax = 3;

/**
 * Adds points to a contact; they are worth nothing from `expiresAt` (ms; null: never) on. Safe to repeat with the same key.
 * Refusals: INPUT_INVALID (amount, key, or `expiresAt` not after now), KEY_REUSED.
 */
export async function earn(
  sql: Sql,
  { botId, ...change }: Write & { amount: number; expiresAt: number | null },
  { now }: Now,
): Promise<PointResult> {
  return writeOne(sql, botId, { kind: 'earn', ...change }, now);
}

/**
 * Takes points from the lots that run out first. Safe to repeat with the same key.
 * Refusals: POINTS_INSUFFICIENT (nothing is taken then), INPUT_INVALID, KEY_REUSED.
 */
export async function spend(
  sql: Sql,
  { botId, ...change }: Write & { amount: number },
  { now }: Now,
): Promise<PointResult> {
  return writeOne(sql, botId, { kind: 'spend', ...change }, now);
}

/** Brings a contact's points to 0 by an entry of its own. Safe to repeat with the same key. Refusals: INPUT_INVALID, KEY_REUSED. */
export async function clear(sql: Sql, { botId, ...change }: Write, { now }: Now): Promise<PointResult> {
  return writeOne(sql, botId, { kind: 'clear', ...change }, now);
}

/**
 * Makes the changes in the order given. Each gives its result, or the refusal for which it was left out: it is for the caller
 * to keep the others or to end the transaction. Contacts must be the bot's. Throws Refusal INPUT_INVALID for a change that
 * can never be.
 */
export async function writePoints(
  tx: Transaction,
  botId: string,
  changes: readonly PointChange[],
  { now }: Now,
): Promise<(PointResult | Refusal)[]> {
  for (const change of changes) checkChange(change);
  const { wanted, locked } = await lockFor(tx, botId, changes, now);
  const outcomes = wanted.map((change) => outcomeOf(change, locked, now));
  await saveAccounts(tx, botId, [...locked.accounts.values()]);
  return outcomes;
}

/** One change in a transaction (`pointsTransaction`). Throws the Refusal, with which the transaction must end. */
export async function writePoint(
  tx: Transaction,
  botId: string,
  change: PointChange,
  { now }: Now,
): Promise<PointResult> {
  const [outcome] = await writePoints(tx, botId, [change], { now });
  if (outcome === undefined) throw new Error('a change has no outcome');
  if (outcome instanceof Refusal) throw outcome;
  return outcome;
}

/** Runs a transaction that writes points; once more when another writer took the same key, or both waited for each other. */
export async function pointsTransaction<T>(sql: Sql, run: (tx: Transaction) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      // The cast undoes the client's type for callbacks that give a list of queries.
      return (await sql.begin(run)) as T;
    } catch (error) {
      if (attempt === attemptsMax || !isRace(error)) throw error;
    }
  }
}

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
    tx`update point_lots set contact_id = ${toContactId} where bot_id = ${botId} and contact_id = ${fromContactId}`,
    tx`update point_entries set contact_id = ${toContactId} where bot_id = ${botId} and contact_id = ${fromContactId}`,
    tx`
      update point_accounts kept
      set balance = kept.balance + moved.balance, next_expiry_at = least(kept.next_expiry_at, moved.next_expiry_at)
      from point_accounts moved
      where kept.bot_id = ${botId} and kept.contact_id = ${toContactId}
        and moved.bot_id = ${botId} and moved.contact_id = ${fromContactId}`,
    // The row stays: a writer that waits for it finds nothing there and goes on to the survivor.
    tx`
      update point_accounts set balance = 0, next_expiry_at = null
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

function writeOne(sql: Sql, botId: string, change: PointChange, now: number): Promise<PointResult> {
  return pointsTransaction(sql, (tx) => writePoint(tx, botId, change, { now }));
}

/** Locks the accounts that the changes are for; a contact that was joined to another meanwhile leads to that one. */
async function lockFor(
  tx: Transaction,
  botId: string,
  changes: readonly PointChange[],
  now: number,
): Promise<{ wanted: readonly PointChange[]; locked: LockedAccounts }> {
  const keys = changes.map(({ key }) => key);
  let wanted = changes;
  for (let redirects = 0; redirects <= redirectsMax; redirects += 1) {
    const locked = await lockAccounts(tx, botId, { needs: needsOf(wanted), keys, now });
    const { joined } = locked;
    if (joined.size === 0) return { wanted, locked };
    wanted = wanted.map((change) => ({
      ...change,
      contactId: joined.get(change.contactId) ?? change.contactId,
    }));
  }
  throw new Error(
    `a contact of bot ${botId} was joined to others more than ${redirectsMax} times during one write`,
  );
}

function needsOf(changes: readonly PointChange[]): Need[] {
  const needs = new Map<string, number>();
  for (const change of changes) {
    const points = change.kind === 'earn' ? 0 : change.kind === 'spend' ? change.amount : Infinity;
    needs.set(change.contactId, (needs.get(change.contactId) ?? 0) + points);
  }
  return [...needs].map(([contactId, points]) => ({ contactId, points }));
}

function outcomeOf(
  change: PointChange,
  { accounts, known }: LockedAccounts,
  now: number,
): PointResult | Refusal {
  const former = known.get(change.key);
  if (former) {
    if (isSame(former, change)) return toResult(former, change, true);
    return new Refusal('KEY_REUSED', `The key ${JSON.stringify(change.key)} was used for another change.`);
  }
  const account = accounts.get(change.contactId);
  if (!account) throw new Error(`the account of contact ${change.contactId} was not locked`);
  const entry = applyChange(account, change, now);
  if (entry instanceof Refusal) return entry;
  known.set(change.key, entry);
  return toResult(entry, change, false);
}

function isSame(entry: Entry, change: PointChange): boolean {
  if (entry.kind !== change.kind || entry.contactId !== change.contactId) return false;
  if (change.kind === 'clear') return true;
  if (Math.abs(entry.amount) !== change.amount) return false;
  return change.kind === 'spend' || entry.expiresAt === change.expiresAt;
}

function toResult(entry: Entry, { kind, key }: PointChange, repeated: boolean): PointResult {
  const { contactId, amount, balanceAfter: available, createdAt: at } = entry;
  return { contactId, key, kind, amount, available, at, repeated };
}

function isRace(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const takenKey =
    error.code === '23505' && 'constraint_name' in error && error.constraint_name === 'point_entries_key';
  return takenKey || error.code === '40P01';
}
