/**
 * Answers and frames of the server (contracts/live-chat.yaml), checked on arrival: the widget shows only messages of the expected
 * shape.
 */
import type { components } from '../contracts/types/live-chat.ts';
import { imageTypes } from './image-type.ts';

type Schema = components['schemas'];

export type Message = Schema['Message'];
export type MessagePage = Schema['Messages'];
export type Session = Pick<
  Schema['Session'],
  'visitorToken' | 'visitorId' | 'name' | 'lastSequence' | 'imagesAllowed'
>;

/** A frame of the socket, server to widget. */
export type Frame =
  | { type: 'ready'; heartbeatSeconds: number }
  | { type: 'message'; message: Message }
  | { type: 'typing'; on: boolean; agentName: string | null }
  | { type: 'seen'; sequence: number }
  | { type: 'pong' };

const heartbeatSecondsDefault = 30;

export function readSession(value: unknown): Session | null {
  if (!isObject(value) || typeof value.visitorToken !== 'string') return null;
  return {
    visitorToken: value.visitorToken,
    visitorId: String(value.visitorId),
    name: typeof value.name === 'string' ? value.name : '',
    lastSequence: wholeNumber(value.lastSequence),
    imagesAllowed: value.imagesAllowed !== false,
  };
}

export function readMessagePage(value: unknown): MessagePage | null {
  if (!isObject(value) || !Array.isArray(value.messages)) return null;
  return {
    messages: value.messages.map(readMessage).filter((message) => message !== null),
    hasMore: value.hasMore === true,
    seenByBusiness: wholeNumber(value.seenByBusiness),
    seenByVisitor: wholeNumber(value.seenByVisitor),
  };
}

export function readMessage(value: unknown): Message | null {
  if (!isObject(value) || typeof value.messageId !== 'string') return null;
  const { from, kind, image, quickReplies } = value;
  if (from !== 'visitor' && from !== 'agent' && from !== 'bot') return null;
  if (kind !== 'text' && kind !== 'image') return null;
  if (typeof value.sequence !== 'number') return null;
  return {
    messageId: value.messageId,
    sequence: value.sequence,
    from,
    kind,
    agentName: textOrNull(value.agentName),
    text: textOrNull(value.text),
    image: readImage(image),
    quickReplies: Array.isArray(quickReplies)
      ? quickReplies.filter((reply): reply is string => typeof reply === 'string')
      : [],
    sentAt: String(value.sentAt),
  };
}

function readImage(value: unknown): Message['image'] {
  if (!isObject(value)) return null;
  const type = imageTypes.find((one) => one === value.type);
  return type ? { type, bytes: wholeNumber(value.bytes) } : null;
}

/** Null for a frame that this widget does not know; a newer server may send some. */
export function readFrame(text: string): Frame | null {
  const value = parse(text);
  if (!isObject(value)) return null;
  const { type, sequence, agentName } = value;
  if (type === 'ready')
    return { type, heartbeatSeconds: wholeNumber(value.heartbeatSeconds) || heartbeatSecondsDefault };
  if (type === 'pong') return { type };
  if (type === 'typing') return { type, on: value.on === true, agentName: textOrNull(agentName) };
  if (type === 'seen') return { type, sequence: wholeNumber(sequence) };
  const message = type === 'message' ? readMessage(value.message) : null;
  return message && { type: 'message', message };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null when it is not JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const wholeNumber = (value: unknown): number => (Number.isSafeInteger(value) ? Number(value) : 0);
