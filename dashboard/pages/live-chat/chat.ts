/** Chats, messages, and the frames of the agents' socket. */
import { isObject, type Message, parse, readMessage } from '../../../widget/protocol.ts';
import type { Schema } from '../../api/client.ts';

export type { Message };

export type Chat = Schema['Chat'];

/** A message that the server has not confirmed. Its id stays the same through all attempts. */
export type Unsent = {
  messageId: string;
  visitorId: string;
  content: { kind: 'text'; text: string; quickReplies: readonly string[] } | { kind: 'image'; image: Blob };
  /** Why the server refused it; null while it is being sent. */
  problem: string | null;
};

/** The listed chats. */
export type ChatQuery = { state: 'open' | 'closed' | 'all'; search: string };

export type Frame =
  | { type: 'ready' }
  | { type: 'message'; visitorId: string; message: Message }
  | { type: 'typing'; visitorId: string; from: string; on: boolean; agentName: string | null }
  | { type: 'seen'; visitorId: string; by: string; sequence: number }
  | { type: 'online'; visitorId: string; on: boolean }
  | { type: 'chat'; visitorId: string };

/** Null for a frame that this page does not know; a newer server may send some. */
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
