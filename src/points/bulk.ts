/**
 * Points for many contacts in one call: all of it or nothing, under one key.
 *
 * The rules are those of `earn`, for each line in its order; every entry carries the key, and the first one leads: it knows
 * the hash of the content, by which a repetition is told from another bulk.
 */
import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { lockFor } from './account-lock.ts';
import { insertEntries, isoOrNull, plainArray, saveSums } from './account-writes.ts';
import { applyChange, checkChange, type PointChange } from './change.ts';
import type { Bulk, Entry } from './entry.ts';
import { keyReused, pointsTransaction } from './ledger.ts';

/** `expiresAt` in ms; null: never. */
export type Earning = { contactId: string; amount: number; expiresAt: number | null };

export type BulkResult = {
  key: string;
  /** Entries that were written: one for each line. */
  entries: number;
  /** Their sum. */
  points: number;
  /** ms */
  at: number;
  /** True when the key was used before: this is that first result, and nothing was changed now. */
  repeated: boolean;
};

type BulkEarning = { botId: string; key: string; earnings: readonly Earning[] };
type EarnChange = Extract<PointChange, { kind: 'earn' }>;

export const earningsMax = 10_000;

/**
 * Adds points to up to 10,000 contacts of the bot; one may come more than once. Safe to repeat with the same key; the same
 * content is the same lines in the same order. Refusals: INPUT_INVALID (the message names the line, from 1; nothing is
 * written then), KEY_REUSED.
 */
export async function earnMany(sql: Sql, asked: BulkEarning, { now }: { now: number }): Promise<BulkResult> {
  const { botId, key, earnings } = asked;
  if (earnings.length < 1 || earnings.length > earningsMax) {
    throw new Refusal('INPUT_INVALID', `A bulk has 1 to ${earningsMax} lines, not ${earnings.length}.`);
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
  const { wanted, books } = await lockFor(tx, botId, { changes, now });
  const former = books.known.get(key);
  if (former) {
    if (former.bulk?.hash !== hash) throw keyReused(key);
    const { entries, points } = former.bulk;
    return { key, entries, points, at: former.createdAt, repeated: true };
  }
  const earned = wanted.map((change, index) => ofLine(index, () => applied(applyChange(change, books, now))));
  const points = earned.reduce((sum, { amount }) => sum + amount, 0);
  const accounts = [...books.accounts.values()];
  const expired = accounts.flatMap(({ entries }) => entries.filter(({ kind }) => kind === 'expire'));
  await Promise.all([
    insertEntries(tx, botId, expired),
    insertEarned(tx, botId, { earned, bulk: { hash, entries: earned.length, points }, key, now }),
    // The database is at work by then.
    turn().then(() => saveSums(tx, botId, accounts)),
  ]);
  return { key, entries: earned.length, points, at: now, repeated: false };
}

/** What the entries of a bulk have in common goes once. Their order in the tables is that of the index, which makes it cheap. */
async function insertEarned(
  tx: Transaction,
  botId: string,
  { earned, bulk, key, now }: { earned: readonly Entry[]; bulk: Bulk; key: string; now: number },
): Promise<void> {
  const expiries = plainArray(earned.map(({ expiresAt }) => isoOrNull(expiresAt)));
  await tx`
    insert into point_entries (bot_id, contact_id, kind, amount, balance_after, expires_at, key, leads, bulk, created_at)
    select ${botId}, contact_id, 'earn', amount, balance_after, expires_at, ${key}, position = 1,
      case when position = 1 then ${JSON.stringify(bulk)}::text::jsonb end, ${isoOrNull(now)}
    from unnest(${earned.map(({ contactId }) => contactId)}::text[], ${plainArray(earned.map(({ amount }) => amount))}::bigint[],
      ${plainArray(earned.map(({ balanceAfter }) => balanceAfter))}::bigint[], ${expiries}::timestamptz[])
      with ordinality as new (contact_id, amount, balance_after, expires_at, position)
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
