/**
 * The queue of pending webhook messages: due bots, claims, and the results of attempts.
 *
 * A claim is a lease (`claimed_until`). It ends with the attempt, or expires if its dispatcher was killed. Claims use `for update
 * skip locked`, so any number of dispatchers share the work.
 */
import type { SealedSecrets } from '../auth/sealed-boxes.ts';
import type { Fragment, Queryable, Sql, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { rowTable } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { type Answer, type Health, healthAfter, type Verdict } from './retries.ts';

/** Longer than any attempt takes. */
export const leaseMs = 60_000;

/** A due message and its receiver. */
export type Claim = SealedSecrets & {
  botId: string;
  noticeId: number;
  webhookId: string;
  type: string;
  contactId: string;
  data: object;
  happenedAt: Date;
  /** Null if the contact was deleted. */
  platform: PlatformName | null;
  platformContactId: string | null;
  /** Earlier attempts. */
  attempts: number;
  since: Date;
  url: string;
  health: Health;
};

/** For queries: the unique id that every attempt of a message sends, from its row of notices. */
export function webhookId(sql: Queryable): Fragment {
  return sql`'msg_' || notice.notice_id || '_' || notice.nonce`;
}

/** Bots with due messages, longest waiting first, at most `limit`. */
export async function botsWithDue(
  sql: Queryable,
  { now, limit }: { now: number; limit: number },
): Promise<{ botId: string; health: Health }[]> {
  const at = new Date(now);
  return sql<{ botId: string; health: Health }[]>`
    select callbacks.bot_id as "botId", standing as health from callbacks
    cross join lateral (
      select due_at from pending_notices
      where bot_id = callbacks.bot_id and due_at <= ${at} and (claimed_until is null or claimed_until <= ${at})
      order by due_at limit 1
    ) oldest
    where disabled_at is null and (paused_until is null or paused_until <= ${at})
    order by oldest.due_at limit ${limit}`;
}

/** Claims the bot's messages that have been due longest, at most `countMax`. */
export async function claimDue(
  sql: Sql,
  botId: string,
  { now, countMax }: { now: number; countMax: number },
): Promise<Claim[]> {
  const at = new Date(now);
  return sql.begin(async (tx) => {
    // Batches commit without waiting for the disk, so a power cut can roll them back. The claim waits for the disk, which syncs
    // everything committed before it. No message reports a change that is lost later.
    await tx`select set_config('synchronous_commit', 'on', true)`;
    const claims = await tx<Omit<Claim, 'platform' | 'platformContactId'>[]>`
      with due as (
        select notice_id from pending_notices
        where bot_id = ${botId} and due_at <= ${at} and (claimed_until is null or claimed_until <= ${at})
        order by due_at, notice_id limit ${countMax}
        for update skip locked
      ), claimed as (
        update pending_notices pending set claimed_until = ${new Date(now + leaseMs)}
        from due where pending.bot_id = ${botId} and pending.notice_id = due.notice_id
        returning pending.notice_id, pending.attempts, pending.since
      )
      select ${botId}::text as "botId", claimed.notice_id as "noticeId", attempts, since, ${webhookId(tx)} as "webhookId", type,
        notice.contact_id as "contactId", data, happened_at as "happenedAt", url, standing as health, secret_sealed,
        previous_secret_sealed, previous_secret_until
      from claimed
      cross join lateral (
        select * from notices where bot_id = ${botId} and notice_id = claimed.notice_id limit 1
      ) notice
      join callbacks on callbacks.bot_id = ${botId}
      order by claimed.notice_id`;
    const contacts = await findPlatformIds(
      tx,
      botId,
      claims.map(({ contactId }) => contactId),
    );
    const withContacts = claims.map((claim) => ({
      ...claim,
      ...(contacts.get(claim.contactId) ?? { platform: null, platformContactId: null }),
    }));
    return withMessages(tx, botId, withContacts);
  }) as Promise<Claim[]>;
}

type PlatformId = { platform: PlatformName; platformContactId: string };

/** The platforms and ids of contacts, by contact id. Deleted contacts are left out. */
async function findPlatformIds(
  sql: Queryable,
  botId: string,
  contactIds: readonly string[],
): Promise<Map<string, PlatformId>> {
  if (contactIds.length === 0) return new Map();
  const rows = await sql<(PlatformId & { contactId: string })[]>`
    select contact_id as "contactId", platform, platform_contact_id as "platformContactId" from contacts
    where bot_id = ${botId} and contact_id = any (${textList(contactIds)}::text[])`;
  return new Map(rows.map(({ contactId, ...ids }) => [contactId, ids]));
}

/** Adds the texts of live chat messages, which are read only now: the messages about them hold nothing personal. */
async function withMessages(tx: Transaction, botId: string, claims: readonly Claim[]): Promise<Claim[]> {
  const ofChat = claims.flatMap(({ type, noticeId, platformContactId, data }) =>
    type === 'chat.message' && 'messageId' in data
      ? [{ noticeId, visitorId: platformContactId, messageId: String(data.messageId) }]
      : [],
  );
  if (ofChat.length === 0) return [...claims];
  const rows = await tx<{ noticeId: number; message: object }[]>`
    select wanted.notice_id as "noticeId", message
    from ${rowTable(tx, 'wanted', ofChat, {
      notice_id: ['bigint', ({ noticeId }) => noticeId],
      visitor_id: ['text', ({ visitorId }) => visitorId],
      message_id: ['text', ({ messageId }) => messageId],
    })}
    cross join lateral (
      select jsonb_build_object('sequence', min(sequence), 'kind', case when min(image_type) is null then 'text' else 'image' end,
        'text', min(text)) as message
      from chat_messages
      where bot_id = ${botId} and visitor_id = wanted.visitor_id and message_id = wanted.message_id
    ) chat`;
  const messages = new Map(rows.map(({ noticeId, message }) => [noticeId, message]));
  return claims.map((claim) => ({ ...claim, data: { ...claim.data, ...messages.get(claim.noticeId) } }));
}

/** Records an attempt and its result, and ends the claim. Once for each attempt. */
export async function recordAttempt(
  sql: Sql,
  claim: Claim,
  {
    answer,
    verdict,
    attemptedAt,
    now,
  }: { answer: Answer; verdict: Verdict; attemptedAt: number; now: number },
): Promise<void> {
  const { botId, noticeId } = claim;
  const { ms, status, problem, excerpt } = answer;
  const health = healthAfter(answer);
  await sql.begin(async (tx) => {
    const always = [
      tx`
        insert into notice_attempts (bot_id, notice_id, attempted_at, ms, status, problem, excerpt)
        values (${botId}, ${noticeId}, ${new Date(attemptedAt)}, ${ms}, ${status}, ${problem}, ${excerpt})`,
      health === claim.health
        ? undefined
        : tx`update callbacks set standing = ${health} where bot_id = ${botId} and url = ${claim.url}`,
    ];
    if (verdict.kind !== 'again') {
      await Promise.all([
        ...always,
        tx`delete from pending_notices where bot_id = ${botId} and notice_id = ${noticeId}`,
        tx`
          update notices set outcome = ${verdict.kind}, ended_at = ${new Date(now)}
          where bot_id = ${botId} and notice_id = ${noticeId}`,
      ]);
      return;
    }
    const { dueAt, pausedUntil } = verdict;
    await Promise.all([
      ...always,
      tx`
        update pending_notices set attempts = attempts + 1, due_at = ${new Date(dueAt)}, claimed_until = null
        where bot_id = ${botId} and notice_id = ${noticeId}`,
      pausedUntil === null
        ? undefined
        : tx`
            update callbacks set paused_until = greatest(paused_until, ${new Date(pausedUntil)})
            where bot_id = ${botId}`,
    ]);
  });
}

/** Releases a claim without recording an attempt. Safe to repeat. */
export async function releaseClaim(sql: Sql, { botId, noticeId }: Claim): Promise<void> {
  await sql`
    update pending_notices set claimed_until = null where bot_id = ${botId} and notice_id = ${noticeId}`;
}
