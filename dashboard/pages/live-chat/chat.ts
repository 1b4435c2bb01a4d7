/** Chats and messages as the management API tells of them, and the frames of the agents' socket. */
import { isObject, type Message, parse, readMessage } from '../../../widget/protocol.ts';
import type { Schema } from '../../api/client.ts';

export type { Message };

export type Chat = Schema['Chat'];

/** A message of this page that the server has not confirmed. It has one id, however often it is sent. */
export type Unsent = {
  messageId: string;
  visitorId: string;
  content: { kind: 'text'; text: string; quickReplies: readonly string[] } | { kind: 'image'; image: Blob };
  /** What the server refused it with; null: it is on its way. */
  problem: string | null;
};

/** Who is typing, until when (ms). */
export type Typing = { who: string; until: number };

export type Frame =
  | { type: 'ready' }
  | { type: 'message'; visitorId: string; message: Message }
  | { type: 'typing'; visitorId: string; from: string; on: boolean; agentName: string | null }
  | { type: 'seen'; visitorId: string; by: string; sequence: number }
  | { type: 'online'; visitorId: string; on: boolean }
  | { type: 'chat'; visitorId: string };

/** Null for what this page does not know, which a newer server may say. */
export function readFrame(text: string): Frame | null {
  const value = parse(text);
  if (!isObject(value)) return null;
  if (value.type === 'ready') return { type: 'ready' };
  const { type, visitorId, on, from, by, sequence, agentName } = value;
  if (typeof visitorId !== 'string') return null;
  if (type === 'chat') return { type, visitorId };
  if (type === 'online') return { type, visitorId, on: on === true };
  if (type === 'seen' && typeof sequence === 'number') return { type, visitorId, by: String(by), sequence };
  if (type === 'typing') {
    const name = typeof agentName === 'string' ? agentName : null;
    return { type, visitorId, from: String(from), on: on === true, agentName: name };
  }
  const message = type === 'message' ? readMessage(value.message) : null;
  return message && { type: 'message', visitorId, message };
}
