/**
 * The stored questions to LINE about a channel. Settled questions stay stored, so they are not requested again. For transactions
 * that hold the lock of their collection.
 */
import type { Transaction } from '../../database/client.ts';
import { msOf, toDate } from '../../database/instants.ts';
import { rowTable } from '../../database/row-table.ts';
import { dayMs, lineZone } from '../../time.ts';
import { unitSubject } from '../statistics.ts';
import { isDayKind, type Kind, type Outcome } from './kinds.ts';
import {
  type OpenQuestion,
  type Question,
  type ScheduleState,
  sendQuestion,
  unitQuestion,
} from './schedule.ts';

/** A kind of LINE's figures of a bot. */
export type CollectionKey = { botId: string; kind: Kind };

/** Open questions of a kind in one step, the longest waiting first. */
const openMax = 1_000;
/** The time between a send and its record. */
const sendsLateMsMax = 3 * dayMs;

/** Returns the earliest and the latest day with a question; null for kinds that are not by day. */
export async function readDays(
  tx: Transaction,
  { botId, kind }: CollectionKey,
): Promise<Pick<ScheduleState, 'earliest' | 'latestDay'>> {
  if (!isDayKind(kind)) return { earliest: null, latestDay: null };
  const [row] = await tx<{ day: string; outcome: Outcome | null; latestDay: string }[]>`
    select subject as day, outcome,
      (select max(subject) from line_questions where bot_id = ${botId} and kind = ${kind}) as "latestDay"
    from line_questions where bot_id = ${botId} and kind = ${kind}
    order by subject limit 1`;
  if (!row) return { earliest: null, latestDay: null };
  return { earliest: { day: row.day, outcome: row.outcome }, latestDay: row.latestDay };
}

/** Returns the questions without a final answer. */
export async function readOpen(tx: Transaction, { botId, kind }: CollectionKey): Promise<OpenQuestion[]> {
  return tx<OpenQuestion[]>`
    select subject, ${msOf(tx, 'ask_at')} as "askAt", ${msOf(tx, 'settled_at')} as "settledAt", outcome, failures
    from line_questions
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
    insert into line_questions (bot_id, kind, subject, ask_at, settled_at)
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
    update line_questions question set ask_at = ${toDate(askAt)}, outcome = ${outcome}, failures = ${failures},
      problem = ${problem}, answered_at = coalesce(${toDate(answeredAt)}, question.answered_at),
      entry_hash = coalesce(decode(${entryHash}, 'hex'), question.entry_hash)
    from line_questions before
    where question.bot_id = ${botId} and question.kind = ${kind} and question.subject = ${subject}
      and before.bot_id = question.bot_id and before.kind = question.kind and before.subject = question.subject
    returning encode(before.entry_hash, 'hex') as hash`;
  return entryHash !== null && entryHash !== before?.hash;
}

/** Adds questions about sends that are new since the last check at `seenAt` (ms; null: about all sends). Idempotent. */
export async function findSends(
  tx: Transaction,
  key: CollectionKey,
  { seenAt, now }: { seenAt: number | null; now: number },
): Promise<void> {
  if (key.kind !== 'message-event' && key.kind !== 'unit') return;
  const since = seenAt === null ? '-infinity' : new Date(seenAt - sendsLateMsMax).toISOString();
  if (key.kind === 'unit') await findUnits(tx, key, since);
  else await findMessages(tx, key, since);
  await tx`
    update line_collections set sends_seen_at = ${new Date(now)} where bot_id = ${key.botId} and kind = ${key.kind}`;
}

async function findMessages(tx: Transaction, key: CollectionKey, since: string): Promise<void> {
  const sends = await tx<{ requestId: string; sentAt: number }[]>`
    select request_id as "requestId", ${msOf(tx, 'sent_at')} as "sentAt" from line_sends
    where bot_id = ${key.botId} and kind in ('broadcast', 'narrowcast') and sent_at > ${since}::text::timestamptz
      and not exists (
        select from line_questions existing
        where existing.bot_id = line_sends.bot_id and existing.kind = ${key.kind}
          and existing.subject = line_sends.request_id)`;
  await putQuestions(tx, key, sends.map(sendQuestion));
}

/** A question about a unit covers one month, from its first to its last day with a send. A later send extends the days. */
async function findUnits(tx: Transaction, key: CollectionKey, since: string): Promise<void> {
  const units = await tx<{ unit: string; from: string; to: string }[]>`
    select unit, to_char(min(day), 'YYYY-MM-DD') as from, to_char(max(day), 'YYYY-MM-DD') as to
    from (
      select distinct unit, date_trunc('month', sent_at at time zone ${lineZone}) as month from line_sends
      where bot_id = ${key.botId} and unit is not null and kind in ('push', 'multicast')
        and sent_at > ${since}::text::timestamptz
    ) touched
    cross join lateral (
      select (sent_at at time zone ${lineZone})::date as day from line_sends
      where bot_id = ${key.botId} and unit = touched.unit and kind in ('push', 'multicast')
        and sent_at >= month at time zone ${lineZone} and sent_at < (month + interval '1 month') at time zone ${lineZone}
    ) sent
    group by unit, month`;
  if (units.length === 0) return;
  const questions = units.map((unit) => unitQuestion(unitSubject(unit), unit.to));
  await putQuestions(tx, key, questions);
  await tx`
    delete from line_questions
    where bot_id = ${key.botId} and kind = ${key.kind} and ask_at is not null
      and subject <> all(${questions.map(({ subject }) => subject)})
      and left(subject, -11) = any(${questions.map(({ subject }) => subject.slice(0, -11))})`;
}
