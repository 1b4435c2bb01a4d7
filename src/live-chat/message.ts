/**
 * A message of live chat: as a caller sends it, as both sides see it, and as its delivery.
 */
import type { components } from '../../contracts/types/live-chat.ts';
import type { Fragment, Queryable } from '../database/client.ts';
import type { ImageType } from './image-type.ts';

/** A message as both sides see it. */
export type ChatMessage = components['schemas']['Message'];

export type NewMessage = {
  botId: string;
  visitorId: string;
  messageId: string;
  from: ChatMessage['from'];
  /** The person or program of the business; null for visitors. */
  senderId: string | null;
  agentName: string | null;
  /** Of the visitor's network (usage.ts); null: the business sends. */
  addressKey: string | null;
  quickReplies: readonly string[];
} & ({ text: string; image: null } | { text: null; image: { type: ImageType; content: Uint8Array } });

export const textLengthMax = 2_000;

/** For queries: the columns of a ChatMessage. */
export function messageColumns(sql: Queryable): Fragment {
  return sql`message_id as "messageId", sequence, sender as "from", agent_name as "agentName",
    case when image_type is null then 'text' else 'image' end as kind, text,
    case when image_type is not null then json_build_object('type', image_type, 'bytes', image_bytes) end as image,
    quick_replies as "quickReplies", to_char(sent_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "sentAt"`;
}

/** The body for the inbox; src/platforms/live-chat.ts parses it. */
export function toDeliveryBody(
  { visitorId, senderId }: Pick<NewMessage, 'visitorId' | 'senderId'>,
  { messageId, from, text, image, sentAt }: ChatMessage,
): Uint8Array {
  const sender = { visitor: {}, agent: { agentId: senderId ?? 'agent' }, bot: { botId: senderId ?? 'bot' } }[
    from
  ];
  const message =
    image === null
      ? { kind: 'text', text }
      : { kind: 'image', attachments: [{ mimeType: image.type, size: image.bytes }] };
  const timestamp = Date.parse(sentAt);
  const body = { v: 1, id: messageId, type: 'message.created', timestamp, visitorId, ...sender, message };
  return Buffer.from(JSON.stringify(body));
}
