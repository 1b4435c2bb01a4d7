/**
 * The stored questions to a platform about a channel. Settled questions stay stored, so they are not requested again. For transactions
 * that hold the lock of their collection.
 */
import type { Transaction } from '../database/client.ts';
import { msOf, toDate } from '../database/instants.ts';
import { rowTable } from '../database/row-table.ts';
import type { CollectionKey, OpenQuestion, Outcome, Question, ScheduleState } from './source.ts';

/** Open questions of a kind in one step, the longest waiting first. */
const openMax = 1_000;

/** Returns the earliest and the latest day with a question. For kinds with a question for every day. */
export async function readDays(
  tx: Transaction,
  { botId, kind }: CollectionKey,
): Promise<Pick<ScheduleState, 'earliest' | 'latestDay'>> {
  const [row] = await tx<{ day: string; outcome: Outcome | null; latestDay: string }[]>`
    select subject as day, outcome,
      (select max(subject) from collection_questions where bot_id = ${botId} and kind = ${kind}) as "latestDay"
    from collection_questions where bot_id = ${botId} and kind = ${kind}
    order by subject limit 1`;
  if (!row) return { earliest: null, latestDay: null };
  return { earliest: { day: row.day, outcome: row.outcome }, latestDay: row.latestDay };
}

/** Returns the questions without a final answer. */
export async function readOpen(tx: Transaction, { botId, kind }: CollectionKey): Promise<OpenQuestion[]> {
  return tx<OpenQuestion[]>`
    select subject, ${msOf(tx, 'ask_at')} as "askAt", ${msOf(tx, 'settled_at')} as "settledAt", outcome, failures
    from collection_questions
    where bot_id = ${botId} and kind = ${kind} and ask_at is not null
    order by ask_at limit ${openMax}`;
}

/** Stores new questions. Idempotent. */
export async function putQuestions(
  tx: Transaction,
  { botId, kind }: CollectionKey,
  questions: readonly OpenQuestion[],
): Promise<void> {
  if (questions.length === 0) return;
  await tx`
    insert into collection_questions (bot_id, kind, subject, ask_at, settled_at)
    select ${botId}, ${kind}, new.*
    from ${rowTable(tx, 'new', questions, {
      subject: ['text', ({ subject }) => subject],
      ask_at: ['timestamptz', ({ askAt }) => askAt],
      settled_at: ['timestamptz', ({ settledAt }) => settledAt],
    })}
    on conflict do nothing`;
}

/** The problem and the entry of a call, and the time (ms) of its answer. */
type CallResult = { problem: string | null; entryHash: string | null; answeredAt: number | null };

/**
 * Stores the result of a question. Returns true if the entry (by its SHA-256; null: none) differs from the last stored one, or if
 * an import has replaced that one.
 */
export async function putOutcome(
  tx: Transaction,
  { botId, kind }: CollectionKey,
  { subject, askAt, outcome, failures }: Question,
  { problem, entryHash, answeredAt }: CallResult,
): Promise<boolean> {
  const [before] = await tx<{ hash: string | null }[]>`
    update collection_questions question set ask_at = ${toDate(askAt)}, outcome = ${outcome}, failures = ${failures},
      problem = ${problem}, answered_at = coalesce(${toDate(answeredAt)}, question.answered_at),
      entry_hash = coalesce(decode(${entryHash}, 'hex'), question.entry_hash)
    from collection_questions before
    where question.bot_id = ${botId} and question.kind = ${kind} and question.subject = ${subject}
      and before.bot_id = question.bot_id and before.kind = question.kind and before.subject = question.subject
    returning encode(before.entry_hash, 'hex') as hash`;
  return entryHash !== null && entryHash !== before?.hash;
}
