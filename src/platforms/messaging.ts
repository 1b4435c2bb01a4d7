/**
 * The items that Messenger and Instagram share (manuals: "Webhook events" of the Messenger Platform, "Webhooks for Instagram
 * messaging", "Webhook notification examples" of the Instagram Platform).
 *
 * In: entries with lists of items, which are all read alike:
 *   `messaging`  items for us
 *   `standby`    the same, while another app holds the thread; it may repeat items of `messaging`
 *   `changes`    `{field, value}`; in fields of messages the value is an item (so does the dashboard's Test button send it)
 * An item is `{sender, recipient, timestamp, …}` and one more member, which decides its kind.
 * Out: an event for each, its key the same in every list: the `mid` of a message or postback, else kind, sender, timestamp
 * and hash. Other kinds may carry a `mid` too, but that of the message they are about.
 */

import { isObject, type JsonObject } from '../json.ts';
import {
  forChannel,
  readDelivery,
  readEach,
  readWord,
  requireId,
  requireObject,
  Unreadable,
} from './delivery.ts';
import type { EventKind } from './event.ts';
import {
  anonymousEvent,
  fingerprint,
  metaSignature,
  readEntries,
  readMetaId,
  readTime,
  readTimeOrNone,
  requireMetaId,
} from './meta.ts';
import type { WebhookPlatformName } from './platform.ts';
import type { ParsedDelivery, ParsedEvent, PersonFields, Platform } from './reader.ts';

/** The member of an item about a person whom the platform refuses to a send of ours. */
export const refusedSend = 'shoal_refused_send';

/** The kinds of an item's members, except `message`. The first member that the item has decides its kind. */
const kinds: ReadonlyMap<string, EventKind> = new Map([
  ['postback', 'postback'],
  ['optin', 'optin'],
  ['referral', 'referral'],
  ['delivery', 'other'],
  ['read', 'other'],
  ['reaction', 'other'],
  ['message_edit', 'other'],
  ['account_linking', 'other'],
  ['pass_thread_control', 'other'],
  ['take_thread_control', 'other'],
  ['request_thread_control', 'other'],
  ['app_roles', 'other'],
  ['policy_enforcement', 'other'],
  ['response_feedback', 'other'],
  ['messaging_feedback', 'other'],
  ['order', 'other'],
  ['game_play', 'other'],
  // Our own (messenger.ts). Meta has no such member.
  [refusedSend, 'block'],
]);
const envelope: ReadonlySet<string> = new Set(['sender', 'recipient', 'timestamp']);
const itemFields = /^(messages$|message_|messaging_|standby$)/;

const people: PersonFields = {
  ids: new Set(['sender_id', 'recipient_id', 'user_id', 'player_id', 'self_ig_scoped_id']),
  parties: new Set(['sender', 'recipient', 'from', 'to', 'user']),
  lists: new Set(['entry', 'messaging', 'standby', 'changes']),
  accountIds: (root) =>
    isObject(root) && Array.isArray(root.entry)
      ? root.entry.map((entry) => (isObject(entry) ? entry.id : null))
      : [],
  normal: (id) => id,
  spelling: /\d{5,}/g,
};

/** A platform whose deliveries are about one of the objects and hold such items. */
export function messagingPlatform(name: WebhookPlatformName, objects: readonly string[]): Platform {
  return {
    name,
    people,
    contactIds: { form: /^\d{5,25}$/, expected: '5 to 25 digits' },
    signature: metaSignature,
    parse: (body, accountId) =>
      readDelivery(body, (root, delivery) => {
        readEntries(root, objects, delivery, (entry, place) => readEntry(entry, place, accountId, delivery));
      }),
  };
}

function readEntry(
  entry: JsonObject,
  place: string,
  accountId: string | null,
  delivery: ParsedDelivery,
): void {
  const account = requireMetaId(entry.id, 'id');
  const add = (event: ParsedEvent) => delivery.events.push(forChannel(event, account, accountId));
  const { messaging, standby, changes, field, time } = entry;
  for (const [name, list] of Object.entries({ messaging, standby })) {
    if (list === undefined) continue;
    readEach(list, `${place}.${name}`, delivery, (item) => add(readItem(item, account, time)));
  }
  if (changes !== undefined) {
    readEach(changes, `${place}.changes`, delivery, (change) => add(readChange(change, account, time)));
  }
  // Instagram's own pages also show a change written straight into the entry.
  if (field !== undefined) add(readChange(entry, account, time));
  if ([messaging, standby, changes, field].every((part) => part === undefined)) {
    throw new Unreadable('no messaging, standby or changes');
  }
}

function readChange({ field, value }: JsonObject, account: string, entryTime: unknown): ParsedEvent {
  const name = requireId(field, 'field');
  if (itemFields.test(name)) return readItem(requireObject(value, 'value'), account, entryTime);
  const happenedAt = readTimeOrNone(entryTime, 'time');
  const detail = readWord(`change: ${name}`);
  return anonymousEvent('change', { field, value }, { kind: 'ignored', detail, happenedAt });
}

function readItem(item: JsonObject, account: string, entryTime: unknown): ParsedEvent {
  if (item.message !== undefined) return readMessage(item, requireObject(item.message, 'message'), account);
  for (const [name, kind] of kinds) {
    if (item[name] !== undefined) {
      return readOccurrence(item, requireObject(item[name], name), { name, kind, account, entryTime });
    }
  }
  const happenedAt = readTimeOrNone(item.timestamp ?? entryTime, 'timestamp');
  const key = keyOf(item, 'unknown', readParty(item, 'sender'));
  const [name = 'none'] = Object.keys(item)
    .filter((member) => !envelope.has(member))
    .sort();
  const detail = readWord(`unknown item: ${name}`);
  return { key, kind: 'ignored', detail, contact: null, contactAlias: null, happenedAt };
}

function readMessage(item: JsonObject, message: JsonObject, account: string): ParsedEvent {
  const happenedAt = readTime(item.timestamp, 'timestamp');
  const sender = readParty(item, 'sender');
  const recipient = readParty(item, 'recipient');
  const isOutbound = message.is_echo === true || sender === account;
  const isDeletion = message.is_deleted === true;
  const name = isDeletion ? 'deletion' : 'message';
  const mid = readMetaId(message.mid, 'message.mid');
  return {
    key: mid === null ? keyOf(item, name, sender) : `${name}:${mid}`,
    kind: isDeletion ? 'other' : isOutbound ? 'message-out' : 'message-in',
    detail: isDeletion ? 'deletion' : messageType(message),
    contact: isOutbound ? notAccount(recipient, account) : sender,
    contactAlias: null,
    happenedAt,
  };
}

/** Reads an item without a message; `content` is the item's member `name`. */
function readOccurrence(
  item: JsonObject,
  content: JsonObject,
  { name, kind, account, entryTime }: { name: string; kind: EventKind; account: string; entryTime: unknown },
): ParsedEvent {
  const ownTime =
    kind === 'other'
      ? readTimeOrNone(item.timestamp ?? content.watermark ?? entryTime, 'timestamp')
      : readTime(item.timestamp, 'timestamp');
  // Deliveries and reads hold for all messages up to their watermark, which may be earlier than their own time.
  const watermark = kind === 'other' ? (content.watermark ?? null) : null;
  const happenedAt = watermark === null ? ownTime : readTimeOrNone(watermark, `${name}.watermark`);
  const sender = readParty(item, 'sender');
  const mid = kind === 'postback' ? readMetaId(content.mid, 'postback.mid') : null;
  return {
    key: mid === null ? keyOf(item, name, sender) : `${name}:${mid}`,
    kind,
    detail: occurrenceDetail(name, content),
    contact: notAccount(sender, account) ?? notAccount(readParty(item, 'recipient'), account),
    contactAlias: null,
    happenedAt,
  };
}

function occurrenceDetail(name: string, content: JsonObject): string | null {
  if (name === 'postback') return null;
  if (name === refusedSend) return readWord(`send failed: ${content.code}`);
  if (name === 'referral') return readWord(content.source) ?? readWord(content.type);
  if (name === 'optin') return readWord(content.notification_messages_status) ?? readWord(content.type);
  return name;
}

function messageType({ attachments, text }: JsonObject): string | null {
  const first: unknown = Array.isArray(attachments) ? attachments[0] : undefined;
  if (isObject(first)) return readWord(first.type);
  return typeof text === 'string' ? 'text' : null;
}

// Without an id (no sender, or a `user_ref` instead) the event has no contact, but still counts.
function readParty(item: JsonObject, role: 'sender' | 'recipient'): string | null {
  const party = item[role];
  return isObject(party) ? readMetaId(party.id, `${role}.id`) : null;
}

function notAccount(party: string | null, account: string): string | null {
  return party === account ? null : party;
}

function keyOf(item: JsonObject, name: string, sender: string | null): string {
  return `${name}:${sender ?? '-'}:${item.timestamp ?? '-'}:${fingerprint(item)}`;
}
