/**
 * Points for many contacts in one call under one key: all lines are written or none.
 *
 * Each line follows the rules of `earn`. Every entry has the key. The first one stores the hash of the content, which
 * distinguishes a repeated bulk from another one.
 */
import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Sql, Transaction } from '../database/client.ts';
import { repeatedTransaction } from '../database/repeated-transaction.ts';
import { rowTable } from '../database/row-table.ts';
import { invalidInput, Refusal } from '../errors.ts';
import { once } from '../once.ts';
import { lockFor } from './account-lock.ts';
import { insertEntries, saveSums } from './account-writes.ts';
import { checkChange, type PointChange } from './change.ts';
import type { Bulk, Entry } from './entry.ts';
import { keyReused } from './ledger.ts';
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
  for (const [index, change] of changes.entries()) checkLine(index, change);
  return repeatedTransaction(sql, (tx) => writeBulk(tx, botId, { earnings, changes, key, now }));
}

type Content = { earnings: readonly Earning[]; changes: readonly EarnChange[]; key: string; now: number };
type Locked = Awaited<ReturnType<typeof lockFor>>;
type Line = { index: number; change: PointChange };
type Earned = { index: number; entry: Entry };
type LineRefusal = { index: number; refusal: Refusal };

/** The process prepares the writes of a chunk while PostgreSQL writes the one before. */
const chunkLines = 2_500;

async function writeBulk(
  tx: Transaction,
  botId: string,
  content: Content,
  size = chunkLines,
): Promise<BulkResult> {
  const { earnings, changes, key, now } = content;
  const chunks = toChunks(changes, size);
  const points = changes.reduce((sum, { amount }) => sum + amount, 0);
  const bulkOf = once((): Bulk => ({ hash: hashOf(earnings), entries: changes.length, points }));
  const prepare = (lines: readonly Line[] = [], locked: Locked) =>
    prepareChunk(tx, botId, lines, { ...locked, bulk: bulkOf(), key, now });
  const locked = await Promise.all(
    chunks.map(async (lines, number) => {
      const ofLines = await lockFor(tx, botId, { changes: lines.map(({ change }) => change), now });
      // The first chunk is prepared while PostgreSQL locks the others.
      return { ...ofLines, prepared: number === 0 ? prepare(lines, ofLines) : undefined };
    }),
  );
  const former = locked[0]?.state.entriesByKey.get(key);
  if (former) {
    if (former.bulk?.hash !== bulkOf().hash) throw keyReused(key);
    const { entries, points } = former.bulk;
    return { key, entries, points, at: former.createdAt, repeated: true };
  }
  // A contact that was merged into one of another chunk has the account of that chunk.
  if (chunks.length > 1 && chunks.some((lines, index) => isRedirected(lines, locked[index]?.changes ?? []))) {
    return writeBulk(tx, botId, content, Number.POSITIVE_INFINITY);
  }
  const refusals: LineRefusal[] = [];
  const writes: Promise<void>[] = [];
  for (const [number, { prepared, ...ofLines }] of locked.entries()) {
    const chunk = prepared ?? prepare(chunks[number], ofLines);
    refusals.push(...chunk.refusals);
    if (refusals.length > 0) continue;
    const written = write(tx, botId, chunk);
    // Awaited when all chunks are prepared; the handler keeps an early failure from being reported as unhandled.
    written.catch(() => undefined);
    writes.push(written);
    await turn();
  }
  await Promise.all(writes);
  const [first] = refusals.sort((a, b) => a.index - b.index);
  if (first) throw ofLine(first.index, first.refusal);
  return { key, entries: changes.length, points, at: now, repeated: false };
}

type Prepared = ReturnType<typeof prepareChunk>;

/** Applies the lines to their locked accounts. `insertion` is sent when it is awaited. */
function prepareChunk(
  tx: Transaction,
  botId: string,
  lines: readonly Line[],
  { changes, state, ...content }: Locked & { bulk: Bulk; key: string; now: number },
) {
  const earned: Earned[] = [];
  const refusals: LineRefusal[] = [];
  for (const [position, change] of changes.entries()) {
    const outcome = applyChange(change, state, content.now);
    const index = lines[position]?.index ?? 0;
    if (outcome instanceof Refusal) refusals.push({ index, refusal: outcome });
    else earned.push({ index, entry: outcome });
  }
  const insertion = insertEarned(tx, botId, { earned, ...content });
  return { refusals, accounts: [...state.accounts.values()], insertion };
}

/** The lines in index order of their contacts, in chunks that share no contact. */
function toChunks(changes: readonly EarnChange[], size: number): Line[][] {
  const lines = changes.map((change, index) => ({ index, change }));
  lines.sort((a, b) => compare(a.change.contactId, b.change.contactId) || a.index - b.index);
  const chunks: Line[][] = [];
  let last: string | undefined;
  for (const line of lines) {
    const chunk = chunks.at(-1);
    const { contactId } = line.change;
    if (chunk && (chunk.length < size || contactId === last)) chunk.push(line);
    else chunks.push([line]);
    last = contactId;
  }
  return chunks;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function isRedirected(lines: readonly Line[], changes: readonly PointChange[]): boolean {
  return lines.some(({ change }, position) => change.contactId !== changes[position]?.contactId);
}

async function write(tx: Transaction, botId: string, { accounts, insertion }: Prepared): Promise<void> {
  const expired = accounts.flatMap((account) => account.entries.filter(({ kind }) => kind === 'expire'));
  await Promise.all([
    insertEntries(tx, botId, expired),
    insertion,
    // PostgreSQL already works on the entries by then.
    turn().then(() => saveSums(tx, botId, accounts)),
  ]);
}

/** A query that sends common values once. The first line leads, and holds the content of the bulk. */
function insertEarned(
  tx: Transaction,
  botId: string,
  { earned, bulk, key, now }: { earned: readonly Earned[]; bulk: Bulk; key: string; now: number },
) {
  return tx`
    insert into point_entries (bot_id, contact_id, kind, amount, balance_after, expires_at, key, leads, bulk, created_at)
    select ${botId}, contact_id, 'earn', amount, balance_after, expires_at, ${key}, line = 0,
      case when line = 0 then ${JSON.stringify(bulk)}::text::jsonb end, ${new Date(now)}
    from ${rowTable(tx, 'new', earned, {
      contact_id: ['text', ({ entry }) => entry.contactId],
      amount: ['bigint', ({ entry }) => entry.amount],
      balance_after: ['bigint', ({ entry }) => entry.balanceAfter],
      expires_at: ['timestamptz', ({ entry }) => entry.expiresAt],
      line: ['integer', ({ index }) => index],
    })}`;
}

function ofLine(index: number, { code, message }: Refusal): Refusal {
  return new Refusal(code, `Line ${index + 1}: ${message} Nothing was written.`);
}

function checkLine(index: number, change: EarnChange): void {
  try {
    checkChange(change);
  } catch (error) {
    throw error instanceof Refusal ? ofLine(index, error) : error;
  }
}

function hashOf(earnings: readonly Earning[]): string {
  const lines = earnings.map(({ contactId, amount, expiresAt }) => [contactId, amount, expiresAt]);
  return createHash('sha256').update(JSON.stringify(lines)).digest('base64');
}
