/**
 * What LINE reports about the account, kept as it came: followers, delivery, demographic and quota of a day (UTC+9).
 *
 * The messages that LINE says were sent are outbound messages (figures.md, section 3), so totals and days follow the delivery
 * snapshots in the same transaction, under the bot's lock. Which snapshot of a day stays does not depend on the order of
 * arrival: one that is ready goes before one that is not, then the one that was received later.
 */
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import type { Delivery } from '../inbox/inbox.ts';
import { isObject } from '../json.ts';
import { Problems } from '../problems.ts';
import { Tally } from '../rollups/counters.ts';
import {
  checkWords,
  deliveredMessages,
  type LineAnswer,
  readSnapshot,
  type Snapshot,
  type SnapshotKind,
  snapshotKinds,
} from './answers.ts';
import { tallyDeliveries } from './outbound.ts';
import { putStatistics, readStatistic, type Statistic, statisticKinds, unitSubject } from './statistics.ts';

/** How many snapshots were written, and how many gave way to what was there. */
export type PutOutcome = { stored: number; passedOver: number };

const importMax = 100_000;
const batchSize = 1_000;

/** Keeps one answer of LINE; `receivedAt` in ms. Safe to repeat. Throws INPUT_INVALID (what was expected), BOT_NOT_FOUND. */
export async function putSnapshot(
  sql: Sql,
  {
    botId,
    kind,
    day,
    value,
    receivedAt,
  }: { botId: string; kind: SnapshotKind; day: string; value: unknown; receivedAt: number },
): Promise<PutOutcome> {
  return putSnapshots(sql, {
    botId,
    snapshots: [readSnapshot({ kind, day, value }, { now: receivedAt })],
    receivedAt,
  });
}

/**
 * Keeps the snapshots of a parsed import file, an array of {kind, day, value}, and interaction statistics among them
 * ({kind, requestId, value}, {kind, unit, from, to, value}): all of them or none. Safe to repeat.
 * Throws INPUT_INVALID that names the entries by index (from 0) and what was expected, BOT_NOT_FOUND.
 */
export async function importSnapshots(
  sql: Sql,
  { botId, entries }: { botId: string; entries: unknown },
  { now }: { now: number },
): Promise<PutOutcome> {
  if (!Array.isArray(entries)) {
    throw new Refusal('INPUT_INVALID', 'The file must hold a JSON array of {kind, day, value}.');
  }
  if (entries.length > importMax) {
    throw new Refusal(
      'INPUT_INVALID',
      `The file holds ${entries.length} snapshots; at most ${importMax} go into one.`,
    );
  }
  const problems = new Problems();
  const answers = entries.flatMap(
    (entry: unknown, index) => problems.try(`index ${index}`, () => readImported(entry, now)) ?? [],
  );
  problems.throwIfAny();
  const snapshots = answers.filter((answer) => !isStatistic(answer));
  return putSnapshots(sql, { botId, snapshots, statistics: answers.filter(isStatistic), receivedAt: now });
}

/**
 * Keeps the answers of LINE that stand in claimed deliveries, each an entry as of an import file, in the caller's transaction
 * and under its lock. Gives those that cannot be read, with the reason. Safe to repeat.
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
      const answer = readEntry(parseJson(body), receivedAt);
      if (isStatistic(answer)) await putStatistics(tx, tally, { botId, statistics: [answer], receivedAt });
      else await putBatch(tx, tally, { botId, snapshots: [answer], receivedAt });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.push({ deliveryId, reason: error.message });
    }
  }
  return refused;
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    throw new Refusal('INPUT_INVALID', 'JSON was expected.');
  }
}

/** The bot's latest answer of a kind that is told of the present (demographic, quota); null: none is held. */
export async function findLatest(
  sql: Queryable,
  botId: string,
  kind: 'demographic' | 'quota',
): Promise<{ day: string; value: LineAnswer; receivedAt: Date } | null> {
  const [row] = await sql<{ day: string; value: LineAnswer; receivedAt: Date }[]>`
    select to_char(day, 'YYYY-MM-DD') as day, value, received_at as "receivedAt" from snapshots
    where bot_id = ${botId} and kind = ${kind} order by snapshots.day desc limit 1`;
  return row ?? null;
}

/** The messages of every ready delivery snapshot, by day (UTC+9), as totals and days must hold them. */
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

function readImported(entry: unknown, now: number): Snapshot | Statistic {
  const answer = readEntry(entry, now);
  if (!isStatistic(answer)) checkWords(answer);
  return answer;
}

function readEntry(entry: unknown, now: number): Snapshot | Statistic {
  if (!isObject(entry))
    throw new Refusal('INPUT_INVALID', 'an object with kind, day and value was expected.');
  const { kind, day, value } = entry;
  if (statisticKinds.some((name) => name === kind)) return readStatistic(entry);
  if (snapshotKinds.some((name) => name === kind)) return readSnapshot({ kind, day, value }, { now });
  const kinds = [...snapshotKinds, ...statisticKinds].join(', ');
  throw new Refusal('INPUT_INVALID', `kind must be one of ${kinds}, not ${JSON.stringify(kind)}.`);
}

function isStatistic(answer: Snapshot | Statistic): answer is Statistic {
  return answer.kind === 'message-event' || answer.kind === 'unit';
}

type Put = { botId: string; snapshots: readonly Snapshot[]; receivedAt: number };

async function putSnapshots(
  sql: Sql,
  { botId, snapshots, statistics = [], receivedAt }: Put & { statistics?: readonly Statistic[] },
): Promise<PutOutcome> {
  return sql.begin(async (tx) => {
    const { timeZone } = await lockBot(tx, botId);
    const tally = new Tally(timeZone);
    await expectAnswers(tx, botId, [...snapshots, ...statistics]);
    let stored = 0;
    for (let start = 0; start < snapshots.length; start += batchSize) {
      const batch = snapshots.slice(start, start + batchSize);
      stored += await putBatch(tx, tally, { botId, snapshots: batch, receivedAt });
    }
    stored += await putStatistics(tx, tally, { botId, statistics, receivedAt });
    await tally.write(tx, botId);
    return { stored, passedOver: snapshots.length + statistics.length - stored };
  });
}

/**
 * The collector stores an answer of LINE only when it differs from its last one. An import replaces that one, so the next answer
 * is stored even if it is the same.
 */
async function expectAnswers(
  tx: Transaction,
  botId: string,
  imported: readonly (Snapshot | Statistic)[],
): Promise<void> {
  await tx`
    update line_questions question set entry_hash = null
    from unnest(${imported.map(({ kind }) => kind)}::text[], ${imported.map(subjectOf)}::text[]) as imported (kind, subject)
    where question.bot_id = ${botId} and question.kind = imported.kind and question.subject = imported.subject
      and question.entry_hash is not null`;
}

function subjectOf(answer: Snapshot | Statistic): string {
  if (answer.kind === 'message-event') return answer.requestId;
  if (answer.kind === 'unit') return unitSubject(answer);
  return answer.kind === 'quota' || answer.kind === 'demographic' ? '' : answer.day;
}

/** Writes what goes before the kept rows, and tallies what that changes. Gives the number of snapshots taken. */
async function putBatch(
  tx: Transaction,
  tally: Tally,
  { botId, snapshots, receivedAt }: Put,
): Promise<number> {
  const kept = await selectKept(tx, botId, snapshots);
  const written = new Map<string, Snapshot>();
  let stored = 0;
  for (const snapshot of snapshots) {
    const key = keyOf(snapshot);
    const before = written.get(key) ?? kept.get(key);
    if (before && !goesBefore({ ...snapshot, receivedAt }, { receivedAt, ...before })) continue;
    written.set(key, snapshot);
    stored += 1;
  }
  await tallyDeliveries(
    tx,
    botId,
    tally,
    [...written].flatMap(([key, snapshot]) =>
      snapshot.kind === 'delivery' ? [{ snapshot, before: kept.get(key) ?? null }] : [],
    ),
  );
  await upsert(tx, { botId, snapshots: [...written.values()], receivedAt });
  return stored;
}

type Kept = Snapshot & { receivedAt: number };

function goesBefore(snapshot: Kept, kept: Kept): boolean {
  const [ready, keptReady] = [snapshot.status === 'ready', kept.status === 'ready'];
  return ready === keptReady ? snapshot.receivedAt >= kept.receivedAt : ready;
}

async function selectKept(
  tx: Transaction,
  botId: string,
  snapshots: readonly Snapshot[],
): Promise<Map<string, Kept>> {
  const rows = await tx<(Snapshot & { received_at: Date })[]>`
    select kept.kind, to_char(kept.day, 'YYYY-MM-DD') as day, kept.status, kept.value, kept.received_at
    from snapshots kept
    join (
      select distinct kind, day
      from unnest(${snapshots.map(({ kind }) => kind)}::text[], ${snapshots.map(({ day }) => day)}::date[]) as new (kind, day)
    ) asked using (kind, day)
    where kept.bot_id = ${botId}`;
  return new Map(
    rows.map(({ received_at, ...row }) => [keyOf(row), { ...row, receivedAt: received_at.getTime() }]),
  );
}

async function upsert(tx: Transaction, { botId, snapshots, receivedAt }: Put): Promise<void> {
  if (snapshots.length === 0) return;
  // As text: the client would encode an array of jsonb a second time.
  await tx`
    insert into snapshots (bot_id, kind, day, status, value, received_at)
    select ${botId}, kind, day, status, value::jsonb, ${new Date(receivedAt)}
    from unnest(${snapshots.map(({ kind }) => kind)}::text[], ${snapshots.map(({ day }) => day)}::date[],
      ${snapshots.map(({ status }) => status)}::text[], ${snapshots.map(({ value }) => JSON.stringify(value))}::text[])
      as new (kind, day, status, value)
    on conflict (bot_id, kind, day) do update
      set status = excluded.status, value = excluded.value, received_at = excluded.received_at`;
  await tx`update bots set snapshot_version = snapshot_version + 1 where bot_id = ${botId}`;
}

function keyOf({ kind, day }: Pick<Snapshot, 'kind' | 'day'>): string {
  return `${kind} ${day}`;
}
