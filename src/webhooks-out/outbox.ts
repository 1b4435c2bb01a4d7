/**
 * The outbox: webhook messages are written in the transaction that makes the change.
 *
 * A message therefore exists exactly when its change does, even after a kill, and keeps one id. For a bot without a callback
 * address the outbox costs one look-up by key, sent together with the neighbouring statements.
 */
import type { Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { rowTable } from '../database/row-table.ts';

/** The types of messages with their data (docs/webhooks-out.md). */
type Content =
  | { type: 'contact.followed' | 'contact.blocked' | 'contact.unblocked'; data: Record<string, never> }
  | {
      type: 'contact.tagged' | 'contact.untagged';
      data: { tag: string; kind: 'manual' | 'personal' | 'auto' };
    }
  | { type: 'contact.bound' | 'contact.unbound'; data: { customerId: string } }
  | {
      type: 'gift.granted' | 'gift.redeemed';
      data: { grantId: number; giftId: string; name: string; kind: string; resource: string; key: string };
    }
  /** The message's text is read when it is sent. */
  | { type: 'chat.message'; data: { messageId: string } }
  | {
      type: 'points.changed';
      data: {
        kind: string;
        amount: number;
        /** Right after the change. */
        available: number;
        key: string | null;
        /** ISO 8601; null: the points never expire, or the change has no expiry. */
        expiresAt: string | null;
      };
    };

/** A change of a contact at `at` (ms). */
export type Change = { contactId: string; at: number } & Content;

/**
 * Writes a message for each change, in order, if the bot has a callback address in use. Call it in the transaction that makes the
 * changes. Not repeatable: each call writes new messages. `now` (ms) is when they are due.
 */
export async function enqueueMessages(
  tx: Transaction,
  botId: string,
  changes: readonly Change[],
  options: { now: number },
): Promise<void> {
  await enqueueForBots(
    tx,
    changes.map((change) => ({ ...change, botId })),
    options,
  );
}

/** The same for changes of several bots, with one look-up. */
export async function enqueueForBots(
  tx: Transaction,
  changes: readonly (Change & { botId: string })[],
  { now }: { now: number },
): Promise<void> {
  if (changes.length === 0) return;
  const botIds = [...new Set(changes.map(({ botId }) => botId))];
  const rows = await tx<{ botId: string }[]>`
    select bot_id as "botId" from callbacks
    where bot_id = any (${textList(botIds)}::text[]) and disabled_at is null`;
  const inUse = new Set(rows.map(({ botId }) => botId));
  if (inUse.size === 0) return;
  const due = changes.filter(({ botId }) => inUse.has(botId));
  await insertMessages(tx, due, new Date(now));
}

async function insertMessages(
  tx: Transaction,
  changes: readonly (Change & { botId: string })[],
  dueAt: Date,
): Promise<void> {
  await tx`
    with written as (
      insert into notices (bot_id, type, contact_id, data, happened_at, created_at)
      select bot_id, type, contact_id, data::jsonb, happened_at, ${dueAt}
      from ${rowTable(tx, 'new', changes, {
        bot_id: ['text', ({ botId }) => botId],
        type: ['text', ({ type }) => type],
        contact_id: ['text', ({ contactId }) => contactId],
        data: ['text', ({ data }) => JSON.stringify(data)],
        happened_at: ['timestamptz', ({ at }) => at],
        position: ['integer', (_, index) => index],
      })}
      order by position
      returning bot_id, notice_id
    )
    insert into pending_notices (bot_id, notice_id, since, due_at)
    select bot_id, notice_id, ${dueAt}::timestamptz, ${dueAt}::timestamptz from written`;
}
