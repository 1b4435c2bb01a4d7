/**
 * The statements of a posting (posting.ts), each for a whole batch.
 */
import type { Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { rowTable } from '../database/row-table.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { blockedChats } from './chat-contacts.ts';
import { type ChatMessage, messageColumns, type NewMessage, toDeliveryBody } from './message.ts';
import { type ChatKey, chatColumns, keyOf, sendSignals } from './signals.ts';

/** A visitor's locked row. */
export type Visitor = ChatKey & {
  lastSequence: number;
  lastMessageAt: Date | null;
  blocked: boolean;
  answered: boolean;
  timeZone: string;
};
export type StoredMessage = ChatKey & { message: ChatMessage; imageHash: Uint8Array | null };
export type NewRow = StoredMessage & { sent: NewMessage };

/** A transaction holds a visitor's row for less, unless its process hangs. */
const lockMsMax = 3_000;

export function messageKey(message: ChatKey & { messageId: string }): string {
  return `${keyOf(message)} ${message.messageId}`;
}

/** Locks the visitors in one order, so that two batches never deadlock. By `keyOf`. */
export async function lockVisitors(
  tx: Transaction,
  messages: readonly NewMessage[],
): Promise<Map<string, Visitor>> {
  const chats = new Map(messages.map((message) => [keyOf(message), message]));
  const sorted = [...chats.keys()].sort().flatMap((key) => chats.get(key) ?? []);
  const [, rows, bots, blocked] = await Promise.all([
    tx`select set_config('lock_timeout', ${String(lockMsMax)}, true)`,
    tx<Omit<Visitor, 'blocked' | 'timeZone'>[]>`
      select visitor.bot_id as "botId", visitor.visitor_id as "visitorId", last_sequence as "lastSequence",
        last_message_at as "lastMessageAt", answered
      from ${rowTable(tx, 'wanted', sorted, { ...chatColumns, place: ['integer', (_, index) => index] })}
      cross join lateral (
        select * from chat_visitors
        where chat_visitors.bot_id = wanted.bot_id and chat_visitors.visitor_id = wanted.visitor_id
        limit 1 for no key update
      ) visitor
      order by place`,
    tx<{ botId: string; timeZone: string }[]>`
      select bot_id as "botId", time_zone as "timeZone" from bots
      where bot_id = any (${textList([...new Set(sorted.map(({ botId }) => botId))])}::text[])`,
    blockedChats(tx, sorted),
  ]);
  const zones = new Map(bots.map(({ botId, timeZone }) => [botId, timeZone]));
  return new Map(
    rows.flatMap((row) => {
      const [key, timeZone] = [keyOf(row), zones.get(row.botId)];
      return timeZone === undefined ? [] : [[key, { ...row, timeZone, blocked: blocked.has(key) }]];
    }),
  );
}

/** The stored messages with these ids, by visitor and id. */
export async function findStored(
  tx: Transaction,
  messages: readonly NewMessage[],
): Promise<Map<string, StoredMessage>> {
  const rows = await tx<StoredMessage[]>`
    select wanted.bot_id as "botId", wanted.visitor_id as "visitorId", image_hash as "imageHash",
      row_to_json(stored) as message
    from ${rowTable(tx, 'wanted', messages, { ...chatColumns, id: ['text', ({ messageId }) => messageId] })}
    cross join lateral (
      select * from chat_messages
      where chat_messages.bot_id = wanted.bot_id and chat_messages.visitor_id = wanted.visitor_id
        and chat_messages.message_id = wanted.id limit 1
    ) found
    cross join lateral (select ${messageColumns(tx)}) stored`;
  return new Map(
    rows.map(({ message, ...row }) => [messageKey({ ...row, ...message }), { ...row, message }]),
  );
}

/** Stores new messages and what follows from them. The statements are sent without waiting in between. */
export async function writeMessages(
  tx: Transaction,
  newRows: readonly NewRow[],
  { visitors, now }: { visitors: ReadonlyMap<string, Visitor>; now: number },
): Promise<void> {
  const changed = [...new Set(newRows.map(keyOf))].flatMap((key) => visitors.get(key) ?? []);
  await Promise.all([
    insertMessages(tx, newRows),
    insertImages(tx, newRows),
    putDeliveries(
      tx,
      newRows.map((one) => toDelivery(one, now)),
    ),
    // A message reopens a closed chat.
    tx`
      update chat_visitors set last_sequence = new.sequence, last_message_at = new.last_message_at, closed = false,
        answered = new.answered
      from ${rowTable(tx, 'new', changed, {
        ...chatColumns,
        sequence: ['bigint', ({ lastSequence }) => lastSequence],
        last_message_at: ['timestamptz', ({ lastMessageAt }) => lastMessageAt?.getTime() ?? now],
        answered: ['boolean', ({ answered }) => answered],
      })}
      where chat_visitors.bot_id = new.bot_id and chat_visitors.visitor_id = new.visitor_id`,
    sendSignals(
      tx,
      newRows.map(({ botId, visitorId, message: { sequence } }) => ({
        botId,
        visitorId,
        sequence,
        type: 'message',
      })),
    ),
  ]);
}

async function insertMessages(tx: Transaction, rows: readonly StoredMessage[]): Promise<void> {
  await tx`
    insert into chat_messages (bot_id, visitor_id, sequence, message_id, sender, agent_name, text, image_type,
      image_bytes, sent_at, image_hash, quick_replies)
    select bot_id, visitor_id, sequence, message_id, sender, agent_name, text, image_type, image_bytes, sent_at,
      decode(image_hash, 'hex'), array(select jsonb_array_elements_text(quick_replies::jsonb))
    from ${rowTable(tx, 'new', rows, {
      ...chatColumns,
      sequence: ['bigint', ({ message }) => message.sequence],
      message_id: ['text', ({ message }) => message.messageId],
      sender: ['text', ({ message }) => message.from],
      agent_name: ['text', ({ message }) => message.agentName],
      text: ['text', ({ message }) => message.text],
      image_type: ['text', ({ message }) => message.image?.type ?? null],
      image_bytes: ['integer', ({ message }) => message.image?.bytes ?? null],
      sent_at: ['timestamptz', ({ message }) => Date.parse(message.sentAt)],
      image_hash: ['text', ({ imageHash }) => imageHash && Buffer.from(imageHash).toString('hex')],
      quick_replies: ['text', ({ message }) => JSON.stringify(message.quickReplies)],
    })}`;
}

async function insertImages(tx: Transaction, newRows: readonly NewRow[]): Promise<void> {
  const images = newRows.flatMap(({ botId: bot_id, visitorId: visitor_id, message, sent: { image } }) => {
    const { messageId: message_id, sentAt: sent_at } = message;
    return image === null ? [] : [{ bot_id, visitor_id, message_id, content: image.content, sent_at }];
  });
  if (images.length > 0) await tx`insert into chat_images ${tx(images)}`;
}

function toDelivery({ botId, sent, message }: NewRow, now: number) {
  const body = toDeliveryBody(sent, message);
  return { botId, platform: 'liveChat', source: 'live-chat', body, receivedAt: now } as const;
}
