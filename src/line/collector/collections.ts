/**
 * The collections: what is claimed, read and written around one call to LINE.
 *
 * A collection is claimed by the lock of its row, for the transaction in which the answer is stored: a process that dies
 * gives its claim back by rolling back, and two never ask the same thing at once. The call itself is counted before it is
 * made, in a statement of its own, so that it stays counted whatever becomes of the transaction.
 */
import type { Queryable, Transaction } from '../../database/client.ts';
import { dayKinds, kinds, presentKinds } from './kinds.ts';
import { type CollectionKey, findSends, readDays, readOpen } from './questions.ts';
import type { Failure, Standing } from './schedule.ts';

/** Where a collection stands: nothing to ask for now, calls used up, or what the last call failed with. */
export type CollectionState = 'new' | 'resting' | 'out-of-calls' | Failure;

export type Claimed = Standing & {
  /** The access token that is set. */
  tokenId: string;
};

/** Begins the collections of channels that can be collected from. Safe to repeat. */
export async function addCollections(sql: Queryable, botIds: readonly string[] | null): Promise<void> {
  await sql`
    insert into line_collections (bot_id, kind)
    select channel.bot_id, asked.kind from ${collectable(sql)} cross join unnest(${[...kinds]}::text[]) as asked (kind)
    where ${isOf(sql, botIds)}
      and not exists (select from line_collections known where known.bot_id = channel.bot_id and known.kind = asked.kind)
    on conflict do nothing`;
}

/** Collections that have something to do at `now` (ms), the one that has waited longest first. */
export async function dueCollections(
  sql: Queryable,
  { now, botIds, limit }: { now: number; botIds: readonly string[] | null; limit: number },
): Promise<CollectionKey[]> {
  return sql<CollectionKey[]>`
    select channel.bot_id as "botId", collection.kind
    from ${collectable(sql)}
    join line_collections collection on collection.bot_id = channel.bot_id
    where ${isOf(sql, botIds)} and (collection.look_at is null or collection.look_at <= ${new Date(now)}) and ${isAllowed(sql)}
    order by look_at nulls first, channel.bot_id, collection.kind limit ${limit}`;
}

/**
 * Claims a collection for the transaction, with the questions about sends that are new since the last look; null: another
 * process has it, it has nothing to do, or its channel is gone.
 */
export async function claimCollection(
  tx: Transaction,
  { botId, kind }: CollectionKey,
  now: number,
): Promise<Claimed | null> {
  const locked = await tx`
    select from line_collections where bot_id = ${botId} and kind = ${kind} for no key update skip locked`;
  if (locked.length === 0) return null;
  // A statement of its own, so that it sees what the last claim has stored.
  const [row] = await tx<Row[]>`
    select to_char(from_day, 'YYYY-MM-DD') as "fromDay", paused_until, failures, sends_seen_at, full_at,
      token_id as "tokenId"
    from ${collectable(tx)}
    join line_collections collection on collection.bot_id = channel.bot_id
    left join line_call_limits used on used.bot_id = channel.bot_id and used.kind = collection.kind
    where channel.bot_id = ${botId} and collection.kind = ${kind}
      and (collection.look_at is null or collection.look_at <= ${new Date(now)}) and ${isAllowed(tx)}`;
  if (!row) return null;
  const { paused_until, sends_seen_at, full_at, ...told } = row;
  await findSends(tx, { botId, kind }, { seenAt: sends_seen_at?.getTime() ?? null, now });
  const [days, open] = await Promise.all([readDays(tx, { botId, kind }), readOpen(tx, { botId, kind })]);
  return {
    kind,
    ...told,
    ...days,
    open,
    pausedUntil: paused_until?.getTime() ?? null,
    fullAt: full_at?.getTime() ?? null,
  };
}

type Row = Pick<Claimed, 'fromDay' | 'failures' | 'tokenId'> & {
  paused_until: Date | null;
  sends_seen_at: Date | null;
  full_at: Date | null;
};

/** Counts a call that is about to be made. False: somebody else has just counted one. */
export async function countCall(
  sql: Queryable,
  { botId, kind }: CollectionKey,
  { before, after }: { before: number | null; after: number },
): Promise<boolean> {
  const counted = await sql`
    insert into line_call_limits as used (bot_id, kind, full_at) values (${botId}, ${kind}, ${new Date(after)})
    on conflict (bot_id, kind) do update set full_at = excluded.full_at
      where used.full_at is not distinct from ${toDate(before)}`;
  return counted.count > 0;
}

/** Writes how the collection stands after a call, or after a look that found nothing to ask. */
export async function putStanding(
  tx: Transaction,
  { botId, kind }: CollectionKey,
  standing: {
    state: CollectionState;
    problem: string | null;
    lookAt: number | null;
    pausedUntil: number | null;
    failures: number;
    refusedTokenId: string | null;
    answeredAt: number | null;
    fullAt: number | null;
  },
): Promise<void> {
  const { state, problem, lookAt, pausedUntil, failures, refusedTokenId, answeredAt, fullAt } = standing;
  await tx`
    update line_collections set state = ${state}, problem = ${problem}, look_at = ${toDate(lookAt)},
      paused_until = ${toDate(pausedUntil)}, failures = ${failures}, refused_token_id = ${refusedTokenId},
      answered_at = coalesce(${toDate(answeredAt)}, answered_at)
    where bot_id = ${botId} and kind = ${kind}`;
  if (fullAt === null) return;
  await tx`
    update line_call_limits set full_at = ${new Date(fullAt)} where bot_id = ${botId} and kind = ${kind}`;
}

/** When to look at the collection again, and why not before; what else is known of it stays. */
export async function putLook(
  tx: Transaction,
  { botId, kind }: CollectionKey,
  { state, lookAt }: { state: CollectionState | null; lookAt: number },
): Promise<void> {
  await tx`
    update line_collections set state = coalesce(${state}, state), look_at = ${new Date(lookAt)}
    where bot_id = ${botId} and kind = ${kind}`;
}

/** Wants the days from this one on, in place of what was wanted before. Safe to repeat. */
export async function setFromDay(sql: Queryable, botId: string, fromDay: string): Promise<void> {
  await sql`
    update line_collections set from_day = ${fromDay}, look_at = null
    where bot_id = ${botId} and kind = any(${[...dayKinds]})`;
}

/** Ends the pauses after failures, so that the next look tries again; the limit of calls stays. Safe to repeat. */
export async function endPauses(sql: Queryable, botId: string): Promise<void> {
  await sql`
    update line_collections set paused_until = null, look_at = null
    where bot_id = ${botId} and paused_until is not null`;
}

/** Wants what stands now asked again, however lately it was: quota, demographics, bot information. Safe to repeat. */
export async function askPresentAgain(sql: Queryable, botId: string): Promise<void> {
  await sql`
    with again as (
      update line_questions set ask_at = answered_at
      where bot_id = ${botId} and kind = any(${[...presentKinds]}) and answered_at is not null
      returning kind
    )
    update line_collections set look_at = null where bot_id = ${botId} and kind in (select kind from again)`;
}

/**
 * LINE channels that can be collected from: enabled, with an access token. One that was sealed before tokens were hashed, too,
 * has to be set again. Gives `channel` and `token`.
 */
export function collectable(sql: Queryable) {
  return sql`
    channels channel
    join line_tokens token on token.bot_id = channel.bot_id and token.kind = 'channel' and token.revoked_at is null
      and channel.platform = 'line' and channel.enabled and channel.access_token_sealed is not null`;
}

/** What LINE has refused to one kind, it refuses to all. */
export function isAllowed(sql: Queryable) {
  return sql`not exists (
    select from line_collections refused
    where refused.bot_id = channel.bot_id and refused.refused_token_id = token.token_id)`;
}

function isOf(sql: Queryable, botIds: readonly string[] | null) {
  return botIds === null ? sql`true` : sql`channel.bot_id = any(${[...botIds]})`;
}

function toDate(at: number | null): Date | null {
  return at === null ? null : new Date(at);
}
