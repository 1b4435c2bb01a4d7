/**
 * The collections: the locks, reads and writes around one call to a platform.
 *
 * The row lock of a collection lasts for the transaction that stores the answer. A process that dies releases it by rollback, and
 * no two processes ask the same question at once. The call is counted before it is made, in a statement outside the transaction,
 * so a rollback does not undo the count.
 */
import type { Queryable, Transaction } from '../database/client.ts';
import { msOf, toDate } from '../database/instants.ts';
import { rowTable } from '../database/row-table.ts';
import { readDays, readOpen } from './questions.ts';
import type { CollectionKey, Failure, ScheduleState, Source } from './source.ts';

/** `resting`: nothing to ask now; `out-of-calls`: rate limit used up; otherwise the failure of the last call. */
export type CollectionState = 'new' | 'resting' | 'out-of-calls' | Failure;

/** A collection and its current access token. */
export type ClaimedCollection<Kind extends string> = CollectionKey<Kind> &
  ScheduleState<Kind> & { tokenId: string };

type Channels = Pick<Source, 'kinds' | 'collectable'>;

/** Adds the missing collections of collectable channels. Idempotent. */
export async function addCollections(
  sql: Queryable,
  source: Channels,
  botIds: readonly string[] | null,
): Promise<void> {
  await sql`
    insert into collections (bot_id, kind)
    select channel.bot_id, collected.kind
    from ${source.collectable(sql)} join ${kindTable(sql, source)} on collected.platform = channel.platform
    where ${isOf(sql, botIds)} and not exists (
      select from collections existing where existing.bot_id = channel.bot_id and existing.kind = collected.kind)
    on conflict do nothing`;
}

/** Returns the collections that are due at `now` (ms), the longest waiting first. */
export async function dueCollections<Kind extends string>(
  sql: Queryable,
  source: Source<Kind>,
  { now, botIds, limit }: { now: number; botIds: readonly string[] | null; limit: number },
): Promise<CollectionKey<Kind>[]> {
  return sql<CollectionKey<Kind>[]>`
    select channel.bot_id as "botId", collection.kind
    from ${source.collectable(sql)}
    join ${kindTable(sql, source)} on collected.platform = channel.platform
    join collections collection on collection.bot_id = channel.bot_id and collection.kind = collected.kind
    where ${isOf(sql, botIds)} and (collection.look_at is null or collection.look_at <= ${new Date(now)}) and ${isAllowed(sql)}
    order by look_at nulls first, channel.bot_id, collection.kind limit ${limit}`;
}

/**
 * Locks a collection for the transaction, and adds questions about new sends. Null: another process holds the lock, the collection
 * is not due, or its channel was deleted.
 */
export async function claimCollection<Kind extends string>(
  tx: Transaction,
  source: Source<Kind>,
  { botId, kind }: CollectionKey<Kind>,
  now: number,
): Promise<ClaimedCollection<Kind> | null> {
  const locked = await tx`
    select from collections where bot_id = ${botId} and kind = ${kind} for no key update skip locked`;
  if (locked.length === 0) return null;
  // A separate statement, so that it sees the writes of the previous lock holder.
  const [row] = await tx<Row<Kind>[]>`
    select collection.bot_id as "botId", collection.kind, to_char(from_day, 'YYYY-MM-DD') as "fromDay", ${msOf(tx, 'paused_until')} as "pausedUntil",
      failures, ${msOf(tx, 'sends_seen_at')} as "seenAt", ${msOf(tx, 'full_at')} as "fullAt", token_id as "tokenId"
    from ${source.collectable(tx)}
    join ${kindTable(tx, source)} on collected.platform = channel.platform
    join collections collection on collection.bot_id = channel.bot_id and collection.kind = collected.kind
    left join collection_call_limits used on used.bot_id = channel.bot_id and used.kind = collection.kind
    where channel.bot_id = ${botId} and collection.kind = ${kind}
      and (collection.look_at is null or collection.look_at <= ${new Date(now)}) and ${isAllowed(tx)}`;
  if (!row) return null;
  const { seenAt, ...collection } = row;
  await source.addQuestions(tx, { botId, kind }, { seenAt, now });
  const [days, openQuestions] = await Promise.all([
    source.isByDay(kind) ? readDays(tx, { botId, kind }) : { earliest: null, latestDay: null },
    readOpen(tx, { botId, kind }),
  ]);
  return { ...collection, ...days, openQuestions };
}

type Row<Kind extends string> = Omit<ClaimedCollection<Kind>, 'earliest' | 'latestDay' | 'openQuestions'> & {
  seenAt: number | null;
};

/** Counts a call before it is made. Returns false if another process has just counted one. */
export async function countCall(
  sql: Queryable,
  { botId, kind }: CollectionKey,
  { before, after }: { before: number | null; after: number },
): Promise<boolean> {
  const { count } = await sql`
    insert into collection_call_limits as used (bot_id, kind, full_at) values (${botId}, ${kind}, ${new Date(after)})
    on conflict (bot_id, kind) do update set full_at = excluded.full_at
      where used.full_at is not distinct from ${toDate(before)}`;
  return count > 0;
}

/** Stores the state of a collection after a call, or the time of its next check. Other columns stay. */
export async function putState(
  tx: Transaction,
  { botId, kind }: CollectionKey,
  columns: Partial<{
    state: CollectionState;
    problem: string | null;
    look_at: Date | null;
    paused_until: Date | null;
    failures: number;
    refused_token_id: string | null;
    answered_at: Date;
  }>,
): Promise<void> {
  await tx`update collections set ${tx(columns)} where bot_id = ${botId} and kind = ${kind}`;
}

/** Stores the time at which the token bucket of calls is full again. */
export async function putFullAt(tx: Transaction, { botId, kind }: CollectionKey, at: number): Promise<void> {
  await tx`update collection_call_limits set full_at = ${new Date(at)} where bot_id = ${botId} and kind = ${kind}`;
}

/** Replaces the first day to collect of the kinds. Idempotent. */
export async function setFromDay(
  sql: Queryable,
  botId: string,
  { fromDay, kinds }: { fromDay: string; kinds: readonly string[] },
): Promise<void> {
  await sql`
    update collections set from_day = ${fromDay}, look_at = null
    where bot_id = ${botId} and kind = any(${[...kinds]})`;
}

/** Ends the pauses after failures, so that the next check retries. The rate limit stays. Idempotent. */
export async function endPauses(sql: Queryable, botId: string): Promise<void> {
  await sql`
    update collections set paused_until = null, look_at = null
    where bot_id = ${botId} and paused_until is not null`;
}

/** Makes the questions about the present of the kinds due at once. Idempotent. */
export async function askPresentAgain(
  sql: Queryable,
  botId: string,
  kinds: readonly string[],
): Promise<void> {
  await sql`
    with due as (
      update collection_questions set ask_at = answered_at
      where bot_id = ${botId} and kind = any(${[...kinds]}) and answered_at is not null
      returning kind
    )
    update collections set look_at = null where bot_id = ${botId} and kind in (select kind from due)`;
}

/** For queries: the kinds of the source, `collected`, each with its platform. */
function kindTable(sql: Queryable, { kinds }: Pick<Source, 'kinds'>) {
  return rowTable(sql, 'collected', kinds, {
    kind: ['text', ({ kind }) => kind],
    platform: ['text', ({ platform }) => platform],
  });
}

/** For queries: true unless the platform has rejected the token. A rejection for one kind applies to all kinds. */
export function isAllowed(sql: Queryable) {
  return sql`not exists (
    select from collections refused
    where refused.bot_id = channel.bot_id and refused.refused_token_id = token.token_id)`;
}

function isOf(sql: Queryable, botIds: readonly string[] | null) {
  return botIds === null ? sql`true` : sql`channel.bot_id = any(${[...botIds]})`;
}
