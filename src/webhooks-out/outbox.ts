/**
 * The outbox: what a bot's callback address is to be told, written in the transaction that makes the change.
 *
 * So a notice is there exactly when its change is, wherever a process is killed, and has one id from then on. A bot without an
 * address costs a look-up by key, which travels with the statements beside it.
 */
import type { Transaction } from '../database/client.ts';
import { numberList, textList } from '../database/lists.ts';

/** What can be told, by type: the data that goes out beside bot and contact (docs/webhooks-out.md). */
type Told =
  | { type: 'contact.followed' | 'contact.blocked' | 'contact.unblocked'; data: Record<string, never> }
  | {
      type: 'contact.tagged' | 'contact.untagged';
      data: { tag: string; kind: 'manual' | 'personal' | 'auto' };
    }
  | { type: 'contact.bound' | 'contact.unbound'; data: { customerId: string } }
  /** What was written is read when it is told. */
  | { type: 'chat.message'; data: { messageId: string } }
  | {
      type: 'points.changed';
      data: {
        kind: string;
        amount: number;
        /** Right after the change. */
        available: number;
        key: string | null;
        /** ISO 8601; null: never, or nothing that expires. */
        expiresAt: string | null;
      };
    };

export type NoticeType = Told['type'];

/** A change of a contact; `at` (ms) is when it happened. */
export type Change = { contactId: string; at: number } & Told;

/**
 * Writes a notice for each change, in their order, when the bot has a callback address that is not disabled; else nothing.
 * Belongs in the transaction that makes the changes, and is not repeatable: each call tells once more. `now` (ms) is when they
 * are due.
 */
export async function tell(
  tx: Transaction,
  botId: string,
  changes: readonly Change[],
  { now }: { now: number },
): Promise<void> {
  if (changes.length === 0) return;
  const inUse = await tx`select from callbacks where bot_id = ${botId} and disabled_at is null`;
  if (inUse.length > 0) await writeNotices(tx, botId, changes, new Date(now));
}

async function writeNotices(
  tx: Transaction,
  botId: string,
  changes: readonly Change[],
  dueAt: Date,
): Promise<void> {
  await tx`
    with written as (
      insert into notices (bot_id, type, contact_id, data, happened_at, created_at)
      select ${botId}, type, contact_id, data::jsonb, to_timestamp(at_ms / 1000::float8), ${dueAt}
      from unnest(${textList(changes.map(({ type }) => type))}::text[],
        ${textList(changes.map(({ contactId }) => contactId))}::text[],
        ${textList(changes.map(({ data }) => JSON.stringify(data)))}::text[],
        ${numberList(changes.map(({ at }) => at))}::bigint[])
        with ordinality as new (type, contact_id, data, at_ms, position)
      order by position
      returning bot_id, notice_id
    )
    insert into pending_notices (bot_id, notice_id, since, due_at)
    select bot_id, notice_id, ${dueAt}::timestamptz, ${dueAt}::timestamptz from written`;
}
