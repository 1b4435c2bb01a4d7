/**
 * Points for many contacts in one call under one key: all lines are written or none.
 *
 * Each line follows the rules of `earn`. Every entry has the key. The first one stores the hash of the content, which
 * distinguishes a repeated bulk from another one.
 */
import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Sql, Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { invalidInput, Refusal } from '../errors.ts';
import { lockFor } from './account-lock.ts';
import { insertEntries, saveSums } from './account-writes.ts';
import { checkChange, type PointChange } from './change.ts';
import type { Bulk, Entry } from './entry.ts';
import { keyReused, pointsTransaction } from './ledger.ts';
import { applyChange } from './rules.ts';

/** `expiresAt` in ms; null: never. */
export type Earning = { contactId: string; amount: number; expiresAt: number | null };

export type BulkResult = {
  key: string;
  /** Written entries: one for each line. */
  entries: number;
  /** Their sum. */
  points: number;
  /** ms */
  at: number;
  /** True if the key was used before. This is the first result; nothing changed now. */
  repeated: boolean;
};

type BulkEarning = { botId: string; key: string; earnings: readonly Earning[] };
type EarnChange = Extract<PointChange, { kind: 'earn' }>;

export const earningsMax = 10_000;

/**
 * Adds points to up to 10,000 contacts of the bot; several lines may name one contact. Safe to repeat with the same key and the
 * same lines in the same order. Refusals: INPUT_INVALID (the message names the line, from 1), KEY_REUSED.
 */
export async function earnMany(
  sql: Sql,
  { botId, key, earnings }: BulkEarning,
  { now }: { now: number },
): Promise<BulkResult> {
  if (earnings.length < 1 || earnings.length > earningsMax) {
    throw invalidInput(`A bulk has 1 to ${earningsMax} lines, not ${earnings.length}.`);
  }
  const changes = earnings.map((earning): EarnChange => ({ kind: 'earn', key, ...earning }));
  for (const [index, change] of changes.entries()) ofLine(index, () => checkChange(change));
  const hash = hashOf(earnings);
  return pointsTransaction(sql, (tx) => writeBulk(tx, botId, { changes, key, hash, now }));
}

async function writeBulk(
  tx: Transaction,
  botId: string,
  { changes, key, hash, now }: { changes: readonly EarnChange[]; key: string; hash: string; now: number },
): Promise<BulkResult> {
  const { changes: redirected, state } = await lockFor(tx, botId, { changes, now });
  const former = state.entriesByKey.get(key);
  if (former) {
    if (former.bulk?.hash !== hash) throw keyReused(key);
    const { entries, points } = former.bulk;
    return { key, entries, points, at: former.createdAt, repeated: true };
  }
  const earned = redirected.map((change, index) =>
    ofLine(index, () => applied(applyChange(change, state, now))),
  );
  const points = earned.reduce((sum, { amount }) => sum + amount, 0);
  const accounts = [...state.accounts.values()];
  const expired = accounts.flatMap(({ entries }) => entries.filter(({ kind }) => kind === 'expire'));
  await Promise.all([
    insertEntries(tx, botId, expired),
    insertEarned(tx, botId, { earned, bulk: { hash, entries: earned.length, points }, key, now }),
    // PostgreSQL already works on the entries by then.
    turn().then(() => saveSums(tx, botId, accounts)),
  ]);
  return { key, entries: earned.length, points, at: now, repeated: false };
}

/** Sends common values once, and inserts in index order, which is cheaper. */
async function insertEarned(
  tx: Transaction,
  botId: string,
  { earned, bulk, key, now }: { earned: readonly Entry[]; bulk: Bulk; key: string; now: number },
): Promise<void> {
  await tx`
    insert into point_entries (bot_id, contact_id, kind, amount, balance_after, expires_at, key, leads, bulk, created_at)
    select ${botId}, contact_id, 'earn', amount, balance_after, expires_at, ${key}, position = 0,
      case when position = 0 then ${JSON.stringify(bulk)}::text::jsonb end, ${new Date(now)}
    from ${rowTable(tx, 'new', earned, {
      contact_id: ['text', ({ contactId }) => contactId],
      amount: ['bigint', ({ amount }) => amount],
      balance_after: ['bigint', ({ balanceAfter }) => balanceAfter],
      expires_at: ['timestamptz', ({ expiresAt }) => expiresAt],
      position: ['integer', (_, index) => index],
    })}
    order by contact_id collate "C", position`;
}

function applied(outcome: Entry | Refusal): Entry {
  if (outcome instanceof Refusal) throw outcome;
  return outcome;
}

function ofLine<T>(index: number, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.code, `Line ${index + 1}: ${error.message} Nothing was written.`);
  }
}

function hashOf(earnings: readonly Earning[]): string {
  const lines = earnings.map(({ contactId, amount, expiresAt }) => [contactId, amount, expiresAt]);
  return createHash('sha256').update(JSON.stringify(lines)).digest('base64');
}
