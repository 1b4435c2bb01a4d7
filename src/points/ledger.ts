/**
 * The points ledger: every change of a contact's points goes through here (figures.md, section 8).
 *
 *     lock the accounts → read what the changes need → apply the rules (change.ts) → write → commit
 *
 * Four round trips, whatever the number of changes. Writers of one account queue up at its row; the key of a change is unique
 * in the bot, so a change happens once however often and wherever it is asked for. The caller's `now` only decides what has
 * run out; the order of entries is the order of the lock, so clocks that disagree cannot disturb it, and what was once written
 * off stays so.
 */
import type { Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { type LockedAccounts, lockFor } from './account-lock.ts';
import { saveAccounts } from './account-writes.ts';
import { applyChange, checkChange, isSameChange, type PointChange } from './change.ts';
import type { Entry } from './entry.ts';

export type PointResult = {
  contactId: string;
  /** The entry that was written; by it the change can be reversed. */
  entryId: string;
  key: string;
  kind: PointChange['kind'];
  /** What the change added to the contact's balance. */
  amount: number;
  /** Available to the contact right after the change. */
  available: number;
  /** The other contact of a transfer, or of its reversal. */
  counterpartId: string | null;
  /** ms */
  at: number;
  /** True when the key was used before: this is that first result, and nothing was changed now. */
  repeated: boolean;
};

type Write = { botId: string; contactId: string; key: string };
type Now = { now: number };

const attemptsMax = 5;

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

/**
 * Hands points to another contact of the bot: taken as by spending, and they run out there when they would have run out here.
 * The result is the sender's. Safe to repeat with the same key.
 * Refusals: POINTS_INSUFFICIENT (nothing is moved then), INPUT_INVALID (also for two contacts that are one), KEY_REUSED.
 */
export async function transfer(
  sql: Sql,
  { botId, ...change }: Write & { toContactId: string; amount: number },
  { now }: Now,
): Promise<PointResult> {
  return writeOne(sql, botId, { kind: 'transfer', ...change }, now);
}

/**
 * Corrects a contact's points by an amount above or below 0, with the reason. What is added runs out at `expiresAt` (ms; null:
 * never); what is taken is taken as by spending. Safe to repeat with the same key.
 * Refusals: POINTS_INSUFFICIENT (nothing is taken then), INPUT_INVALID, KEY_REUSED.
 */
export async function adjust(
  sql: Sql,
  { botId, ...change }: Write & { amount: number; expiresAt: number | null; reason: string },
  { now }: Now,
): Promise<PointResult> {
  return writeOne(sql, botId, { kind: 'adjust', ...change }, now);
}

/**
 * Undoes an entry of the contact, as far as its points have not run out: what came is taken back, from the lots that run out
 * with it and then as by spending; what was taken comes back and runs out when it would have. Of a transfer both sides are
 * undone, whichever was named, and the result is the sender's. An entry is reversed once. Safe to repeat with the same key.
 * Refusals: ENTRY_NOT_FOUND, ENTRY_NOT_REVERSIBLE, POINTS_INSUFFICIENT (nothing is changed then), INPUT_INVALID, KEY_REUSED.
 */
export async function reverse(
  sql: Sql,
  { botId, ...change }: Write & { entryId: string },
  { now }: Now,
): Promise<PointResult> {
  return writeOne(sql, botId, { kind: 'reverse', ...change }, now);
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
  const { wanted, books } = await lockFor(tx, botId, { changes, now });
  const outcomes = wanted.map((change) => outcomeOf(change, books, now));
  await saveAccounts(tx, botId, [...books.accounts.values()]);
  return outcomes.map((outcome) => (outcome instanceof Refusal ? outcome : toResult(outcome)));
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

/** Runs a transaction that writes points; again when another writer took the same key, or both waited for each other. */
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

/** The refusal of a key that came with other content before. */
export function keyReused(key: string): Refusal {
  return new Refusal('KEY_REUSED', `The key ${JSON.stringify(key)} was used for another change.`);
}

function writeOne(sql: Sql, botId: string, change: PointChange, now: number): Promise<PointResult> {
  return pointsTransaction(sql, (tx) => writePoint(tx, botId, change, { now }));
}

type Outcome = { change: PointChange; entry: Entry; repeated: boolean };

function outcomeOf(change: PointChange, books: LockedAccounts, now: number): Outcome | Refusal {
  const former = books.known.get(change.key);
  if (former) {
    return isSameChange(former, change) ? { change, entry: former, repeated: true } : keyReused(change.key);
  }
  const entry = applyChange(change, books, now);
  if (entry instanceof Refusal) return entry;
  books.known.set(change.key, entry);
  return { change, entry, repeated: false };
}

function toResult({ change: { kind, key }, entry, repeated }: Outcome): PointResult {
  const { contactId, entryId, amount, balanceAfter: available, pair, createdAt: at } = entry;
  if (entryId === null) throw new Error(`the entry of key ${JSON.stringify(key)} was not stored`);
  const counterpartId = pair?.contactId ?? null;
  return { contactId, entryId, key, kind, amount, available, counterpartId, at, repeated };
}

function isRace(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const takenKey =
    error.code === '23505' && 'constraint_name' in error && error.constraint_name === 'point_entries_key';
  return takenKey || error.code === '40P01';
}
