/**
 * LINE's reports about the account, stored unchanged: followers, delivery, demographic and quota of a day (UTC+9).
 *
 * Messages that LINE reports as sent are outbound messages (figures.md, section 3). Totals and days therefore follow the delivery
 * snapshots in the same transaction, under the bot's lock. The order of arrival does not matter: a ready snapshot replaces one
 * that is not ready, and otherwise the one that was received later stays.
 */
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { msOf } from '../database/instants.ts';
import { type Column, rowTable } from '../database/row-table.ts';
import { Refusal } from '../errors.ts';
import type { Delivery } from '../inbox/inbox.ts';
import { Problems } from '../problems.ts';
import { Tally } from '../rollups/counters.ts';
import {
  checkWords,
  deliveredMessages,
  isStatistic,
  type LineAnswer,
  parseJson,
  readAnswer,
  type Snapshot,
  type Statistic,
} from './answers.ts';
import { tallyDeliveries } from './outbound.ts';
import { putStatistics, unitSubject } from './statistics.ts';

/** The number of stored snapshots, and of those that were skipped because a better one exists. */
type PutOutcome = { stored: number; passedOver: number };

const importMax = 100_000;
const batchSize = 1_000;

/**
 * Stores the entries of a parsed import file: snapshots {kind, day, value} and interaction statistics ({kind, requestId, value},
 * {kind, unit, from, to, value}). All of them or none. Idempotent.
 * Throws INPUT_INVALID with the index of each wrong entry (from 0) and the expected form, BOT_NOT_FOUND.
 */
export async function importSnapshots(
  sql: Sql,
  { botId, entries }: { botId: string; entries: unknown },
  { now }: { now: number },
): Promise<PutOutcome> {
  if (!Array.isArray(entries)) {
    throw new Refusal('INPUT_INVALID', 'The file must contain a JSON array of {kind, day, value}.');
  }
  if (entries.length > importMax) {
    throw new Refusal(
      'INPUT_INVALID',
      `The file has ${entries.length} snapshots. Split it: at most ${importMax} are allowed.`,
    );
  }
  const problems = new Problems();
  const answers = entries.flatMap(
    (entry: unknown, index) =>
      problems.try(`index ${index}`, () => {
        const answer = readAnswer(entry, { now });
        checkWords(answer);
        return answer;
      }) ?? [],
  );
  problems.throwIfAny();
  return sql.begin(async (tx) => {
    const { timeZone } = await lockBot(tx, botId);
    const tally = new Tally(timeZone);
    await expectAnswers(tx, botId, answers);
    const stored = await putAnswers(tx, tally, { botId, answers, receivedAt: now });
    await tally.write(tx, botId);
    return { stored, passedOver: answers.length - stored };
  });
}

/**
 * Stores the answers of LINE in claimed deliveries, in the caller's transaction and under its lock. Each delivery is one entry of
 * an import file. Returns the unreadable deliveries with the reason. Idempotent.
 */
export async function foldAnswers(
  tx: Transaction,
  botId: string,
  tally: Tally,
  deliveries: readonly Delivery[],
): Promise<{ deliveryId: number; reason: string }[]> {
  const refused: { deliveryId: number; reason: string }[] = [];
  for (const { deliveryId, body, receivedAt } of deliveries) {
    try {
      const answer = readAnswer(parseJson(Buffer.from(body).toString()), { now: receivedAt });
      await putAnswers(tx, tally, { botId, answers: [answer], receivedAt });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.push({ deliveryId, reason: error.message });
    }
  }
  return refused;
}

/** Returns the bot's latest answer about the present (demographic, quota); null: none is stored. */
export async function findLatest(
  sql: Queryable,
  botId: string,
  kind: 'demographic' | 'quota',
): Promise<{ day: string; value: LineAnswer; receivedAt: Date } | null> {
  const [row = null] = await sql<{ day: string; value: LineAnswer; receivedAt: Date }[]>`
    select to_char(day, 'YYYY-MM-DD') as day, value, received_at as "receivedAt" from snapshots
    where bot_id = ${botId} and kind = ${kind} order by snapshots.day desc limit 1`;
  return row;
}

/** Returns the messages of every ready delivery snapshot by day (UTC+9). Totals and days must contain them. */
export async function lineDeliverySums(
  sql: Queryable,
  botId: string,
): Promise<{ day: string; messages: number }[]> {
  const rows = await sql<Pick<Snapshot, 'day' | 'status' | 'value'>[]>`
    select to_char(day, 'YYYY-MM-DD') as day, status, value from snapshots
    where bot_id = ${botId} and kind = 'delivery' and status = 'ready'
    order by snapshots.day`;
  return rows.map((row) => ({ day: row.day, messages: deliveredMessages(row) }));
}

/** Stores answers that arrived at `receivedAt` (ms). Returns the number of accepted ones. */
async function putAnswers(
  tx: Transaction,
  tally: Tally,
  {
    botId,
    answers,
    receivedAt,
  }: { botId: string; answers: readonly (Snapshot | Statistic)[]; receivedAt: number },
): Promise<number> {
  const snapshots = answers.filter((answer) => !isStatistic(answer));
  const statistics = answers.filter(isStatistic);
  let stored = await putStatistics(tx, tally, { botId, statistics, receivedAt });
  for (let start = 0; start < snapshots.length; start += batchSize) {
    const batch = snapshots.slice(start, start + batchSize);
    stored += await putBatch(tx, tally, { botId, snapshots: batch, receivedAt });
  }
  return stored;
}

type Put = { botId: string; snapshots: readonly Snapshot[]; receivedAt: number };

/**
 * The collector stores an answer of LINE only if it differs from the previous one. An import replaces that one, so the next answer
 * is stored even if it is equal.
 */
async function expectAnswers(
  tx: Transaction,
  botId: string,
  imported: readonly (Snapshot | Statistic)[],
): Promise<void> {
  await tx`
    update collection_questions question set entry_hash = null
    from ${rowTable(tx, 'imported', imported, { kind: ['text', ({ kind }) => kind], subject: ['text', subjectOf] })}
    where question.bot_id = ${botId} and question.kind = imported.kind and question.subject = imported.subject
      and question.entry_hash is not null`;
}

function subjectOf(answer: Snapshot | Statistic): string {
  if (answer.kind === 'message-event') return answer.requestId;
  if (answer.kind === 'unit') return unitSubject(answer);
  if ('richMenuId' in answer) return `${answer.richMenuId} ${answer.from.slice(0, 7)}`;
  return answer.kind === 'quota' || answer.kind === 'demographic' ? '' : answer.day;
}

/** Stores the snapshots that replace stored ones or are new, and tallies the changes. Returns the number of accepted snapshots. */
async function putBatch(
  tx: Transaction,
  tally: Tally,
  { botId, snapshots, receivedAt }: Put,
): Promise<number> {
  const storedSnapshots = await selectStored(tx, botId, snapshots);
  const accepted = new Map<string, Snapshot>();
  let count = 0;
  for (const snapshot of snapshots) {
    const key = keyOf(snapshot);
    const before = accepted.get(key) ?? storedSnapshots.get(key);
    if (before && !replaces({ ...snapshot, receivedAt }, { receivedAt, ...before })) continue;
    accepted.set(key, snapshot);
    count += 1;
  }
  await tallyDeliveries(
    tx,
    botId,
    tally,
    [...accepted].flatMap(([key, snapshot]) =>
      snapshot.kind === 'delivery' ? [{ snapshot, before: storedSnapshots.get(key) ?? null }] : [],
    ),
  );
  await upsert(tx, { botId, snapshots: [...accepted.values()], receivedAt });
  return count;
}

type StoredSnapshot = Snapshot & { receivedAt: number };

function replaces(snapshot: StoredSnapshot, before: StoredSnapshot): boolean {
  const [isReady, wasReady] = [snapshot.status === 'ready', before.status === 'ready'];
  return isReady === wasReady ? snapshot.receivedAt >= before.receivedAt : isReady;
}

async function selectStored(
  tx: Transaction,
  botId: string,
  snapshots: readonly Snapshot[],
): Promise<Map<string, StoredSnapshot>> {
  const rows = await tx<StoredSnapshot[]>`
    select stored.kind, to_char(stored.day, 'YYYY-MM-DD') as day, stored.status, stored.value,
      ${msOf(tx, 'stored.received_at')} as "receivedAt"
    from snapshots stored
    join (select distinct kind, day from ${rowTable(tx, 'new', snapshots, keyColumns)}) new_keys using (kind, day)
    where stored.bot_id = ${botId}`;
  return new Map(rows.map((row) => [keyOf(row), row]));
}

async function upsert(tx: Transaction, { botId, snapshots, receivedAt }: Put): Promise<void> {
  if (snapshots.length === 0) return;
  await tx`
    insert into snapshots (bot_id, kind, day, status, value, received_at)
    select ${botId}, kind, day, status, value::jsonb, ${new Date(receivedAt)}
    from ${rowTable(tx, 'new', snapshots, {
      ...keyColumns,
      status: ['text', ({ status }) => status],
      value: ['text', ({ value }) => JSON.stringify(value)],
    })}
    on conflict (bot_id, kind, day) do update
      set status = excluded.status, value = excluded.value, received_at = excluded.received_at`;
  await tx`update bots set snapshot_version = snapshot_version + 1 where bot_id = ${botId}`;
}

const keyColumns = {
  kind: ['text', ({ kind }) => kind],
  day: ['date', ({ day }) => day],
} satisfies Record<string, Column<Snapshot>>;

function keyOf({ kind, day }: Pick<Snapshot, 'kind' | 'day'>): string {
  return `${kind} ${day}`;
}
