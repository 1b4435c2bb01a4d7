/**
 * What a walk could not bring over: one row for each client, tag or id, with the reason. The rows name people, so the deletion of a
 * contact's data deletes them.
 */
import type { Queryable, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { rowsOfBot } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { ProblemReason } from './names.ts';

export type Problem = {
  reason: ProblemReason;
  platform: PlatformName | '';
  /** The id or name; empty if the problem concerns the whole bot. */
  subject: string;
  detail: string;
};

/** Stores problems. A repeated one replaces its detail. Idempotent. */
export async function putProblems(
  tx: Transaction,
  botId: string,
  problems: readonly Problem[],
): Promise<void> {
  const keyOf = ({ reason, platform, subject }: Problem) => `${reason} ${platform} ${subject}`;
  const list = [...new Map(problems.map((one) => [keyOf(one), one])).values()];
  if (list.length === 0) return;
  const columns = {
    reason: ['text', ({ reason }: Problem) => reason],
    platform: ['text', ({ platform }: Problem) => platform],
    subject: ['text', ({ subject }: Problem) => subject],
    detail: ['text', ({ detail }: Problem) => detail.replaceAll('\0', '').toWellFormed()],
  } as const;
  await tx`
    insert into mantago_problems (bot_id, reason, platform, subject, detail)
    select * from ${rowsOfBot(tx, 'new', botId, { list, columns })}
    on conflict (bot_id, reason, platform, subject) do update set detail = excluded.detail`;
}

/** The number of problems by reason. */
export async function countProblems(
  sql: Queryable,
  botId: string,
): Promise<{ reason: ProblemReason; count: number }[]> {
  return sql`
    select reason, count(*)::integer as count from mantago_problems where bot_id = ${botId}
    group by reason order by reason`;
}

/** A page of problems, after `after` if it is set. */
export async function listProblems(
  sql: Queryable,
  botId: string,
  { after, limit }: { after: Omit<Problem, 'detail'> | null; limit: number },
): Promise<Problem[]> {
  return sql`
    select reason, platform, subject, detail from mantago_problems
    where bot_id = ${botId} ${after === null ? sql`` : sql`and (reason, platform, subject) > (${after.reason}, ${after.platform}, ${after.subject})`}
    order by reason, platform, subject limit ${limit}`;
}

/** Deletes what a walk holds about a person: its problems, and its place in the queue. The caller holds the bot's lock. */
export async function eraseClient(
  tx: Transaction,
  botId: string,
  {
    platform,
    ids,
    contactIds,
  }: { platform: PlatformName; ids: readonly string[]; contactIds: readonly string[] },
): Promise<void> {
  const subjects = textList([...ids, ...contactIds]);
  await tx`
    delete from mantago_problems
    where bot_id = ${botId} and platform in (${platform}, '') and subject = any (${subjects}::text[])`;
  await tx`
    delete from mantago_queue
    where bot_id = ${botId} and platform in (${platform}, '') and contact = any (${subjects}::text[])`;
}
