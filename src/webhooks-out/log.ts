/**
 * The log of webhook messages (tables `notices…`): delivered, pending, given up and why; and their replay.
 */
import type { Fragment, Queryable, Sql, Transaction } from '../database/client.ts';
import { numberList, textList } from '../database/lists.ts';
import { dayMs } from '../time.ts';
import { noCallback } from './endpoints.ts';
import { webhookId } from './queue.ts';

export const messageStates = ['pending', 'told', 'given-up'] as const;
export type MessageState = (typeof messageStates)[number];

export type ListedMessage = {
  noticeId: number;
  /** Sent as `webhook-id`. */
  webhookId: string;
  type: string;
  contactId: string;
  data: Record<string, unknown>;
  happenedAt: Date;
  createdAt: Date;
  state: MessageState;
  /** Pending: the time of the next attempt; else null. */
  dueAt: Date | null;
  endedAt: Date | null;
  /** Of the last attempt; null: no attempt or no answer. */
  status: number | null;
  problem: string | null;
};

export type Attempt = {
  attemptedAt: Date;
  ms: number;
  /** Null: no answer. */
  status: number | null;
  /** Null: it succeeded. */
  problem: string | null;
  excerpt: string | null;
};

/** A page of the bot's messages, newest first: those before `beforeId` if it is set. `state` null: any. */
export async function listMessages(
  sql: Queryable,
  botId: string,
  { state, limit, beforeId }: { state: MessageState | null; limit: number; beforeId: number | null },
): Promise<ListedMessage[]> {
  return sql<ListedMessage[]>`
    ${selectMessages(sql)}
    where notice.bot_id = ${botId}
      ${beforeId === null ? sql`` : sql`and notice.notice_id < ${beforeId}`}
      ${state === null ? sql`` : state === 'pending' ? sql`and outcome is null` : sql`and outcome = ${state}`}
    order by notice.notice_id desc limit ${limit}`;
}

/** A message with its attempts, oldest first; null: not found. */
export async function findMessage(
  sql: Queryable,
  botId: string,
  noticeId: number,
): Promise<(ListedMessage & { attempts: Attempt[] }) | null> {
  const [[row], attempts] = await Promise.all([
    sql<ListedMessage[]>`
      ${selectMessages(sql)} where notice.bot_id = ${botId} and notice.notice_id = ${noticeId}`,
    sql<Attempt[]>`
      select attempted_at as "attemptedAt", ms, status, problem, excerpt from notice_attempts
      where bot_id = ${botId} and notice_id = ${noticeId} order by attempt_id`,
  ]);
  return row ? { ...row, attempts: [...attempts] } : null;
}

/**
 * Sends messages again under their ids: the listed ones, or all that were given up if `noticeIds` is null. Pending ones are due
 * now, and three more days of retries begin. Safe to repeat: receivers recognise the id. Returns the number of messages. Throws
 * Refusal INPUT_INVALID for a bot without an address in use.
 */
export async function replayMessages(
  sql: Sql,
  botId: string,
  noticeIds: readonly number[] | null,
  { now }: { now: number },
): Promise<number> {
  const at = new Date(now);
  return sql.begin(async (tx) => {
    const inUse =
      await tx`select from callbacks where bot_id = ${botId} and disabled_at is null for key share`;
    if (inUse.length === 0) throw noCallback(botId);
    const { count } = await tx`
      with again as (
        update notices set outcome = null, ended_at = null
        where bot_id = ${botId}
          and ${noticeIds === null ? tx`outcome = 'given-up'` : tx`notice_id = any(${numberList(noticeIds)}::bigint[])`}
        returning bot_id, notice_id
      )
      insert into pending_notices (bot_id, notice_id, since, due_at)
      select bot_id, notice_id, ${at}, ${at} from again
      on conflict (bot_id, notice_id) do update
      set since = excluded.since, due_at = excluded.due_at, attempts = 0`;
    return count;
  });
}

/** The pending messages of all bots, and when (ms) the oldest one was first due; null: none. For the metrics. */
export async function pendingMessages(
  sql: Queryable,
): Promise<{ count: number; oldestSince: number | null }> {
  const [row] = await sql<{ count: number; oldest: Date | null }[]>`
    select count(*)::integer as count, min(since) as oldest
    from pending_notices join callbacks on callbacks.bot_id = pending_notices.bot_id`;
  return { count: row?.count ?? 0, oldestSince: row?.oldest?.getTime() ?? null };
}

const purgeBatch = 5_000;

/**
 * Deletes a bot's messages that are older than `logDays`, with their attempts, except pending ones. Works in batches, oldest
 * first: call it again while `more` is true.
 */
export async function purgeMessages(
  sql: Queryable,
  botId: string,
  { now, logDays }: { now: number; logDays: number },
): Promise<{ deleted: number; more: boolean }> {
  const [row] = await sql<{ deleted: number }[]>`
    with old as (
      delete from notices
      where bot_id = ${botId} and notice_id in (
          select notice_id from notices
          where bot_id = ${botId} and outcome is not null order by notice_id limit ${purgeBatch})
        and created_at < ${new Date(now - logDays * dayMs)}
      returning notice_id
    ), attempts as (
      delete from notice_attempts where bot_id = ${botId} and notice_id in (select notice_id from old)
    )
    select count(*)::integer as deleted from old`;
  const deleted = row?.deleted ?? 0;
  return { deleted, more: deleted === purgeBatch };
}

/** For queries: true if `purgeMessages` may delete messages of the bot. */
export function hasOldMessages(
  sql: Queryable,
  bot: Fragment,
  { now, logDays }: { now: number; logDays: number },
): Fragment {
  return sql`(
    select created_at from notices
    where notices.bot_id = ${bot} and outcome is not null order by notice_id limit 1
  ) < ${new Date(now - logDays * dayMs)}`;
}

/** Deletes all messages about the contacts, in the transaction that deletes these. Safe to repeat. */
export async function deleteMessagesOf(
  tx: Transaction,
  botId: string,
  contactIds: readonly string[],
): Promise<void> {
  await tx`
    with gone as (
      delete from notices where bot_id = ${botId} and contact_id = any(${textList(contactIds)}::text[])
      returning notice_id
    ), pending as (
      delete from pending_notices where bot_id = ${botId} and notice_id in (select notice_id from gone)
    )
    delete from notice_attempts where bot_id = ${botId} and notice_id in (select notice_id from gone)`;
}

function selectMessages(sql: Queryable) {
  return sql`
    select notice.notice_id as "noticeId", ${webhookId(sql)} as "webhookId", type, contact_id as "contactId", data,
      happened_at as "happenedAt", created_at as "createdAt", coalesce(outcome, 'pending') as state, pending.due_at as "dueAt",
      ended_at as "endedAt", last.status, last.problem
    from notices notice
    left join pending_notices pending
      on pending.bot_id = notice.bot_id and pending.notice_id = notice.notice_id
    left join lateral (
      select status, problem from notice_attempts attempt
      where attempt.bot_id = notice.bot_id and attempt.notice_id = notice.notice_id
      order by attempt_id desc limit 1
    ) last on true`;
}
