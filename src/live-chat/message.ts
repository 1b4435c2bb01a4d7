/**
 * A message of live chat: as a caller sends it, as both sides see it, as its row, and as its delivery.
 */
import type { Queryable } from '../database/client.ts';
import type { ImageType } from './image-type.ts';

export type Sender = 'visitor' | 'agent' | 'bot';

export type ChatMessage = {
  /** A ULID chosen by the sender. */
  messageId: string;
  /** Counts a visitor's messages from 1. */
  sequence: number;
  from: Sender;
  agentName: string | null;
  kind: 'text' | 'image';
  text: string | null;
  image: { type: ImageType; bytes: number } | null;
  quickReplies: string[];
  /** ISO 8601. */
  sentAt: string;
};

export type NewMessage = {
  botId: string;
  visitorId: string;
  messageId: string;
  from: Sender;
  /** The person or program of the business; null for visitors. */
  senderId: string | null;
  agentName: string | null;
  /** Of the visitor's network (usage.ts); null: the business sends. */
  addressKey: string | null;
  quickReplies: readonly string[];
} & ({ text: string; image: null } | { text: null; image: { type: ImageType; content: Uint8Array } });

export const textLengthMax = 2_000;

/** A row of chat_messages (`messageColumns`). */
export type MessageRow = {
  messageId: string;
  sequence: number;
  sender: Sender;
  agentName: string | null;
  text: string | null;
  imageType: ImageType | null;
  imageBytes: number | null;
  quickReplies: string[];
  sentAt: Date;
};

/** For queries: the columns of a `MessageRow`. */
export function messageColumns(sql: Queryable) {
  return sql`message_id as "messageId", sequence, sender, agent_name as "agentName", text,
    image_type as "imageType", image_bytes as "imageBytes", quick_replies as "quickReplies", sent_at as "sentAt"`;
}

export function toMessage(row: MessageRow): ChatMessage {
  const { messageId, sequence, sender, agentName, text, imageType, imageBytes, quickReplies, sentAt } = row;
  return {
    ...{ messageId, sequence, from: sender, agentName },
    kind: imageType === null ? 'text' : 'image',
    text,
    image: imageType === null ? null : { type: imageType, bytes: imageBytes ?? 0 },
    quickReplies,
    sentAt: sentAt.toISOString(),
  };
}

/** The body for the inbox; src/platforms/live-chat.ts parses it. `sentAt` in ms. */
export function toDeliveryBody({
  visitorId,
  messageId,
  from,
  senderId,
  text,
  image,
  sentAt,
}: {
  visitorId: string;
  messageId: string;
  from: Sender;
  /** The person or program of the business; null: unknown. */
  senderId: string | null;
  text: string | null;
  image: { type: ImageType; bytes: number } | null;
  sentAt: number;
}): Uint8Array {
  const sender = { visitor: {}, agent: { agentId: senderId ?? 'agent' }, bot: { botId: senderId ?? 'bot' } }[
    from
  ];
  const message =
    image === null
      ? { kind: 'text', text }
      : { kind: 'image', attachments: [{ mimeType: image.type, size: image.bytes }] };
  const body = {
    v: 1,
    id: messageId,
    type: 'message.created',
    timestamp: sentAt,
    visitorId,
    ...sender,
    message,
  };
  return Buffer.from(JSON.stringify(body));
}
