/**
 * The points ledger. Every change of a contact's points goes through here (figures.md, section 8).
 *
 *     lock the accounts → read lots and entries → apply the rules (rules.ts) → write → commit
 *
 * Four round trips for any number of changes. Writers of one account queue at its row. The key of a change is unique in the bot,
 * so a repeated change has no effect. Entries have the order of the locks. The caller's `now` only decides which points expired,
 * and points that are written off stay so; clocks may therefore disagree.
 */
import type { Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { type LockedState, lockFor } from './account-lock.ts';
import { saveAccounts } from './account-writes.ts';
import { checkChange, isSameChange, type PointChange } from './change.ts';
import type { Entry } from './entry.ts';
import { applyChange } from './rules.ts';

export type PointResult = {
  contactId: string;
  /** The id of the new entry, for a reversal. */
  entryId: string;
  key: string;
  kind: PointChange['kind'];
  /** Added to the contact's balance; negative if points were taken. */
  amount: number;
  /** The contact's available points right after the change. */
  available: number;
  /** The other contact of a transfer, or of its reversal. */
  counterpartId: string | null;
  /** ms */
  at: number;
  /** True if the key was used before. This is the first result; nothing changed now. */
  repeated: boolean;
};

type Now = { now: number };

/**
 * Makes the changes in their order. Returns the result or the refusal of each. The caller decides whether to keep the others or to
 * roll back. Contacts must be the bot's. Throws Refusal INPUT_INVALID for a change that no account allows.
 */
export async function writePoints(
  tx: Transaction,
  botId: string,
  changes: readonly PointChange[],
  { now }: Now,
): Promise<(PointResult | Refusal)[]> {
  for (const change of changes) checkChange(change);
  const { changes: redirected, state } = await lockFor(tx, botId, { changes, now });
  const outcomes = redirected.map((change) => outcomeOf(change, state, now));
  await saveAccounts(tx, botId, [...state.accounts.values()]);
  return outcomes.map((outcome) => (outcome instanceof Refusal ? outcome : toResult(outcome)));
}

/** Makes one change in a `repeatedTransaction`. Throws the Refusal, which must roll the transaction back. */
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

/** The refusal of a key that was used with other content. */
export function keyReused(key: string): Refusal {
  return new Refusal('KEY_REUSED', `The key ${JSON.stringify(key)} was used for another change.`);
}

type Outcome = { change: PointChange; entry: Entry; repeated: boolean };

function outcomeOf(change: PointChange, state: LockedState, now: number): Outcome | Refusal {
  const former = state.entriesByKey.get(change.key);
  if (former) {
    return isSameChange(former, change) ? { change, entry: former, repeated: true } : keyReused(change.key);
  }
  const entry = applyChange(change, state, now);
  if (entry instanceof Refusal) return entry;
  state.entriesByKey.set(change.key, entry);
  return { change, entry, repeated: false };
}

function toResult({ change: { kind, key }, entry, repeated }: Outcome): PointResult {
  const { contactId, entryId, amount, balanceAfter: available, pair, createdAt: at } = entry;
  if (entryId === null) throw new Error(`the entry of key ${JSON.stringify(key)} was not stored`);
  const counterpartId = pair?.contactId ?? null;
  return { contactId, entryId, key, kind, amount, available, counterpartId, at, repeated };
}
