/**
 * The log of notices: what was told, what waits, what was given up and why; and the way back for it.
 */
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { numberList, textList } from '../database/lists.ts';
import { dayMs } from '../time.ts';
import { noCallback } from './endpoints.ts';
import { webhookId } from './queue.ts';

export const noticeStates = ['pending', 'told', 'given-up'] as const;
export type NoticeState = (typeof noticeStates)[number];

export type ListedNotice = {
  noticeId: number;
  /** As the receiver gets it in `webhook-id`. */
  webhookId: string;
  type: string;
  contactId: string;
  data: Record<string, unknown>;
  happenedAt: Date;
  createdAt: Date;
  state: NoticeState;
  /** Pending: when it is told next; else null. */
  dueAt: Date | null;
  endedAt: Date | null;
  /** How the last attempt went; null: there was none. */
  status: number | null;
  problem: string | null;
};

export type Attempt = {
  attemptedAt: Date;
  ms: number;
  /** Null: no answer. */
  status: number | null;
  /** Null: it was told. */
  problem: string | null;
  excerpt: string | null;
};

type Row = Omit<ListedNotice, 'webhookId' | 'state'> & { nonce: string; outcome: NoticeState | null };

/** The bot's notices, newest first, below `beforeId` when given: for paging. `state` null means any. */
export async function listNotices(
  sql: Queryable,
  botId: string,
  { state, limit, beforeId }: { state: NoticeState | null; limit: number; beforeId: number | null },
): Promise<ListedNotice[]> {
  const rows = await sql<Row[]>`
    ${selectNotices(sql)}
    where notices.bot_id = ${botId}
      ${beforeId === null ? sql`` : sql`and notices.notice_id < ${beforeId}`}
      ${state === null ? sql`` : state === 'pending' ? sql`and outcome is null` : sql`and outcome = ${state}`}
    order by notices.notice_id desc limit ${limit}`;
  return rows.map(toListed);
}

/** One notice with its attempts, oldest first; null when there is none of that number. */
export async function findNotice(
  sql: Queryable,
  botId: string,
  noticeId: number,
): Promise<(ListedNotice & { attempts: Attempt[] }) | null> {
  const [[row], attempts] = await Promise.all([
    sql<Row[]>`${selectNotices(sql)} where notices.bot_id = ${botId} and notices.notice_id = ${noticeId}`,
    sql<Attempt[]>`
      select attempted_at as "attemptedAt", ms, status, problem, excerpt from notice_attempts
      where bot_id = ${botId} and notice_id = ${noticeId} order by attempt_id`,
  ]);
  return row ? { ...toListed(row), attempts: [...attempts] } : null;
}

/**
 * Tells notices again, with the ids they had: the named ones, or all that were given up when `noticeIds` is null. Those that
 * wait for their next attempt get it now; three more days of trying begin. Safe to repeat: a receiver knows the id. Gives how
 * many there are. Throws Refusal INPUT_INVALID for a bot without an address in use.
 */
export async function replayNotices(
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

/** Notices that are to be told, of all bots, and when (ms) the oldest of them was first due; null: none. For the metrics. */
export async function waitingNotices(sql: Queryable): Promise<{ count: number; oldestSince: number | null }> {
  const [row] = await sql<{ count: number; oldest: Date | null }[]>`
    select count(*)::integer as count, min(since) as oldest
    from pending_notices join callbacks on callbacks.bot_id = pending_notices.bot_id`;
  return { count: row?.count ?? 0, oldestSince: row?.oldest?.getTime() ?? null };
}

const purgeBatch = 5_000;

/**
 * Deletes a bot's notices that were written more than `logDays` ago, with their attempts; pending ones stay. Works oldest first
 * in batches: call again while there is more.
 */
export async function purgeNotices(
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

/** Deletes everything that was told or is to be told of the contacts, in the transaction that forgets them. Safe to repeat. */
export async function forgetNotices(
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

function selectNotices(sql: Queryable) {
  return sql`
    select notices.notice_id as "noticeId", nonce, type, contact_id as "contactId", data, happened_at as "happenedAt",
      created_at as "createdAt", outcome, ended_at as "endedAt", pending.due_at as "dueAt", last.status, last.problem
    from notices
    left join pending_notices pending
      on pending.bot_id = notices.bot_id and pending.notice_id = notices.notice_id
    left join lateral (
      select status, problem from notice_attempts attempt
      where attempt.bot_id = notices.bot_id and attempt.notice_id = notices.notice_id
      order by attempt_id desc limit 1
    ) last on true`;
}

function toListed({ noticeId, nonce, type, outcome, ...row }: Row): ListedNotice {
  const { contactId, data, happenedAt, createdAt, dueAt, endedAt, status, problem } = row;
  return {
    noticeId,
    webhookId: webhookId({ noticeId, nonce }),
    type,
    contactId,
    data,
    happenedAt,
    createdAt,
    state: outcome ?? 'pending',
    dueAt,
    endedAt,
    status,
    problem,
  };
}
