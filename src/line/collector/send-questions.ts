/**
 * Questions about sends through the gateway. For transactions that hold the lock of their collection.
 */
import { putQuestions } from '../../collector/questions.ts';
import type { CollectionKey } from '../../collector/source.ts';
import type { Transaction } from '../../database/client.ts';
import { msOf } from '../../database/instants.ts';
import { dayMs, lineZone } from '../../time.ts';
import { unitSubject } from '../statistics.ts';
import type { Kind } from './kinds.ts';
import { sendQuestion, unitQuestion } from './schedule.ts';

/** The time between a send and its record. */
const sendsLateMsMax = 3 * dayMs;

/** Adds questions about sends that are new since the last check at `seenAt` (ms; null: about all sends). Idempotent. */
export async function findSends(
  tx: Transaction,
  key: CollectionKey<Kind>,
  { seenAt, now }: { seenAt: number | null; now: number },
): Promise<void> {
  if (key.kind !== 'message-event' && key.kind !== 'unit') return;
  const since = seenAt === null ? '-infinity' : new Date(seenAt - sendsLateMsMax).toISOString();
  if (key.kind === 'unit') await findUnits(tx, key, since);
  else await findMessages(tx, key, since);
  await tx`
    update collections set sends_seen_at = ${new Date(now)} where bot_id = ${key.botId} and kind = ${key.kind}`;
}

async function findMessages(tx: Transaction, key: CollectionKey, since: string): Promise<void> {
  const sends = await tx<{ requestId: string; sentAt: number }[]>`
    select request_id as "requestId", ${msOf(tx, 'sent_at')} as "sentAt" from line_sends
    where bot_id = ${key.botId} and kind in ('broadcast', 'narrowcast') and sent_at > ${since}::text::timestamptz
      and not exists (
        select from collection_questions existing
        where existing.bot_id = ${key.botId} and existing.kind = ${key.kind}
          and existing.subject = line_sends.request_id)`;
  await putQuestions(tx, key, sends.map(sendQuestion));
}

/** A question about a unit covers one month, from its first to its last day with a send. A later send extends the days. */
async function findUnits(tx: Transaction, key: CollectionKey, since: string): Promise<void> {
  const units = await tx<{ unit: string; from: string; to: string }[]>`
    select unit, to_char(min(day), 'YYYY-MM-DD') as from, to_char(max(day), 'YYYY-MM-DD') as to
    from (
      select distinct unit, date_trunc('month', sent_at at time zone ${lineZone}) as month from line_sends
      where bot_id = ${key.botId} and unit is not null and kind in ('push', 'multicast', 'pnp')
        and sent_at > ${since}::text::timestamptz
    ) touched
    cross join lateral (
      select (sent_at at time zone ${lineZone})::date as day from line_sends
      where bot_id = ${key.botId} and unit = touched.unit and kind in ('push', 'multicast', 'pnp')
        and sent_at >= month at time zone ${lineZone} and sent_at < (month + interval '1 month') at time zone ${lineZone}
    ) sent
    group by unit, month`;
  if (units.length === 0) return;
  const questions = units.map((unit) => unitQuestion(unitSubject(unit), unit.to));
  await putQuestions(tx, key, questions);
  await tx`
    delete from collection_questions
    where bot_id = ${key.botId} and kind = ${key.kind} and ask_at is not null
      and subject <> all(${questions.map(({ subject }) => subject)})
      and left(subject, -11) = any(${questions.map(({ subject }) => subject.slice(0, -11))})`;
}
