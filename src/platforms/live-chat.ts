/**
 * Live chat, our own platform. src/live-chat puts the messages and actions of both sides into the inbox. A contact is a visitor.
 *
 * In: one JSON object, `{v: 1, id, type, timestamp, visitorId, …}`. `id` is the sender's own (a ULID), unique within the visitor;
 * `timestamp` is ours, in ms. Of type `message.created`: with `agentId` or `botId` it is from the business, else from the visitor.
 * Out: one event. No signature: only this server writes such deliveries.
 */
import type { JsonObject } from '../json.ts';
import { readDelivery, readId, readMs, readWord, requireId, requireObject, Unreadable } from './delivery.ts';
import type { ParsedEvent, PersonFields, Reader } from './reader.ts';

const version = 1;

/** Events of a chat that are no messages. */
const otherTypes: ReadonlySet<string> = new Set([
  'conversation.closed',
  'message.seen',
  'presence.ping',
  'session.end',
  'session.start',
  'typing.off',
  'typing.on',
  'visitor.identify',
]);

const people: PersonFields = {
  ids: new Set(['visitorId']),
  parties: new Set(),
  lists: new Set(),
  accountIds: () => [],
  normal: (id) => id,
  spelling: /v_[A-Za-z]{20}/g,
};

export const liveChat: Reader = {
  name: 'liveChat',
  people,
  contactIds: { form: /^v_[A-Za-z]{20}$/, expected: 'v_ and 20 letters' },
  parse: (body) => readDelivery(body, (root, delivery) => void delivery.events.push(readEvent(root))),
};

function readEvent(root: JsonObject): ParsedEvent {
  if (root.v !== version) throw new Unreadable(`v: expected ${version}`);
  const type = requireId(root.type, 'type');
  const contact = requireId(root.visitorId, 'visitorId');
  const id = requireId(root.id, 'id');
  const common = { contact, contactAlias: null, happenedAt: readMs(root.timestamp, 'timestamp') };
  if (type === 'message.created') {
    const message = requireObject(root.message, 'message');
    return {
      key: liveChatKey(contact, id),
      kind: directionOf(root),
      detail: readWord(message.kind),
      ...common,
    };
  }
  // Other events have keys of their own, so that none of them can hide a message with the same id.
  const kind = otherTypes.has(type) ? 'other' : 'ignored';
  const detail = readWord(kind === 'other' ? type : `unknown type: ${type}`);
  return { key: `${type}:${liveChatKey(contact, id)}`, kind, detail, ...common };
}

/** The key of a message's event. */
function liveChatKey(visitorId: string, messageId: string): string {
  return `${visitorId}:${messageId}`;
}

/** The message's own id in such a key. */
export function messageIdOf(key: string): string {
  return key.slice(key.lastIndexOf(':') + 1);
}

function directionOf({ agentId, botId }: JsonObject): 'message-in' | 'message-out' {
  const sender = readId(agentId, 'agentId') ?? readId(botId, 'botId');
  return sender === null ? 'message-in' : 'message-out';
}
