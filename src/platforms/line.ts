/**
 * LINE Messaging API webhooks (manual: "Webhook event objects", "Verify webhook signature").
 *
 * In: `{destination, events: [{type, webhookEventId, timestamp, source?, …}]}`, times in ms. Out: one event for each, its key
 * the webhookEventId, which LINE repeats on redelivery. LINE does not deliver messages sent by the account itself.
 */

import { isObject, type JsonObject } from '../json.ts';
import {
  forChannel,
  readDelivery,
  readEach,
  readId,
  readMs,
  readWord,
  requireId,
  Unreadable,
} from './delivery.ts';
import { type EventKind, unblocking } from './event.ts';
import type { ParsedDelivery, ParsedEvent, PersonFields, Platform } from './reader.ts';

const kinds: ReadonlyMap<string, EventKind> = new Map([
  ['message', 'message-in'],
  ['follow', 'follow'],
  ['unfollow', 'unfollow'],
  ['postback', 'postback'],
  ['messageEdited', 'other'],
  ['unsend', 'other'],
  ['join', 'other'],
  ['leave', 'other'],
  ['memberJoined', 'other'],
  ['memberLeft', 'other'],
  ['videoPlayComplete', 'other'],
  ['beacon', 'other'],
  ['accountLink', 'other'],
  ['membership', 'other'],
  ['delivery', 'other'],
  ['module', 'other'],
  ['activated', 'other'],
  ['deactivated', 'other'],
  ['botSuspended', 'other'],
  ['botResumed', 'other'],
]);

const people: PersonFields = {
  ids: new Set(['userId']),
  parties: new Set(),
  lists: new Set(['events', 'members']),
  accountIds: (root) => (isObject(root) ? [root.destination] : []),
  normal: (id) => id,
  spelling: /U[0-9a-f]{32}/g,
};

export const line: Platform = {
  name: 'line',
  people,
  contactIds: { form: /^U[0-9a-f]{32}$/, expected: 'U and 32 hexadecimal digits in lower case' },
  signature: { header: 'x-line-signature', prefix: '', encoding: 'base64' },
  parse: (body, accountId) => readDelivery(body, (root, delivery) => readEvents(root, accountId, delivery)),
};

function readEvents(root: JsonObject, accountId: string | null, delivery: ParsedDelivery): void {
  const destination = readId(root.destination, 'destination');
  readEach(root.events, 'events', delivery, (item) => {
    delivery.events.push(forChannel(readEvent(item), destination, accountId));
  });
}

function readEvent(item: JsonObject): ParsedEvent {
  const key = requireId(item.webhookEventId, 'webhookEventId');
  const type = requireId(item.type, 'type');
  const happenedAt = readMs(item.timestamp, 'timestamp');
  const kind = kinds.get(type);
  if (kind === undefined) {
    const detail = readWord(`unknown event type: ${type}`);
    return { key, kind: 'ignored', detail, contact: null, contactAlias: null, happenedAt };
  }
  const contact = readPerson(item.source);
  if (contact === null && (kind === 'follow' || kind === 'unfollow')) {
    throw new Unreadable('no source.userId');
  }
  return { key, kind, detail: readDetail(type, kind, item), contact, contactAlias: null, happenedAt };
}

// A member of a group or room need not be a friend, and messages there are no conversation with the account.
export function readPerson(source: unknown): string | null {
  if (!isObject(source) || source.type !== 'user') return null;
  return readId(source.userId, 'source.userId');
}

function readDetail(type: string, kind: EventKind, { message, follow }: JsonObject): string | null {
  if (kind === 'message-in') return isObject(message) ? readWord(message.type) : null;
  if (kind === 'follow') return isObject(follow) && follow.isUnblocked === true ? unblocking : null;
  return kind === 'other' ? type : null;
}
