/**
 * What a walk could not bring over: one row for each client, tag or id, with the reason. The rows name people, so the deletion of a
 * contact's data deletes them.
 */
import type { Queryable, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { rowsOfBot } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';

/** The reasons, in English. The dashboard has its own texts. */
export const problemReasons = {
  platform: 'The platform is none of the five, so the client was left out.',
  'client-id': 'No contact of the platform can have this id, so the client was left out.',
  deleted: "The contact's data were deleted in Shoal, so the client was left out. Delete it in MantaGo, too.",
  'encoded-id-taken': 'The encoded id already leads to another contact, so the old id was left out.',
  'encoded-id-unknown': 'MantaGo knows no client of this encoded id, so the old id was left out.',
  'encoded-ids': "MantaGo's list does not contain the clients' encoded ids. Import them from a file: --ids.",
  profile: 'A field of the profile is too long or not valid Unicode and was left out.',
  blocked:
    'The client has blocked the account. Shoal counts blocks from events and from LINE itself, so this one does not count.',
  'tag-name': 'A tag name must have 1 to 100 characters and no control characters. The tag was left out.',
  'tag-list':
    'MantaGo does not answer this list, so its tags came from the clients only, without their settings.',
  'personal-tag':
    'MantaGo does not say which clients have this personal tag. The tag exists, without clients.',
  'tour-tags': 'The form of tour tags is not documented.',
  points: 'The points are no whole number from 0 to 1,000,000,000 and were left out.',
  'points-unanswered': 'MantaGo did not answer the points of this client.',
  'points-short':
    'MantaGo took points since the last walk that the contact has spent in Shoal. The difference was left out.',
  followers: 'MantaGo did not answer its followers by day.',
  paging: "MantaGo's list repeated a page, so clients may be missing. Run the import again.",
} as const;
export type ProblemReason = keyof typeof problemReasons;

/** What no call of MantaGo's returns, whatever the client. */
export const neverCarried = {
  messages: 'Messages and conversations: no call returns them. Shoal counts from its connection on.',
  modules:
    'Conversation modules (`intentId`): no call returns them. Create message templates; they have new ids.',
  gifts: 'Rewards: bring them as a file with `shoal gift import`.',
  interaction: '`lastInteractAt` and `isBlock`: Shoal takes both from events.',
} as const;

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
