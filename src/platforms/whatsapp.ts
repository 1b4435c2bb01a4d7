/**
 * WhatsApp Cloud API webhooks (manual: "Webhooks", "Business-scoped user IDs"). A channel is a business phone number.
 *
 * In: entries with `changes: [{field, value}]`. The value of some fields holds lists of items, each read on its own:
 *   `messages`          from people               key `message:<id>`, or `<type>:<id>` for other types
 *   `message_echoes`    sent with the phone app   the same
 *   `statuses`          of sent messages          key `status:<id>:<status>`, and `message:<id>` for the message itself
 *   `errors`, `user_preferences`                  key with the hash of the item
 * `history` holds the chats of the phone app from before: threads of messages, with the keys of `messages` and `message_echoes`.
 * Any other field is one event, its key the hash of the change. Times are texts of seconds.
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
import {
  anonymousEvent,
  metaSignature,
  readEntries,
  readMetaId,
  readTime,
  readTimeOrNone,
  requireMetaId,
} from './meta.ts';
import type { ParsedDelivery, ParsedEvent, PersonFields, Platform } from './reader.ts';
import {
  changedIds,
  type Named,
  named,
  noPerson,
  normalId,
  type People,
  readPeople,
  readPerson,
} from './whatsapp-people.ts';

type Context = { people: People; entryTime: unknown };

const readers: readonly [
  list: string,
  read: (item: JsonObject, context: Context) => readonly ParsedEvent[],
][] = [
  ['messages', readMessage],
  ['message_echoes', readEcho],
  ['statuses', readStatus],
  ['errors', readError],
  ['user_preferences', readPreference],
];
const listFields: ReadonlySet<string> = new Set([
  'messages',
  'smb_message_echoes',
  'message_echoes',
  'user_preferences',
]);
/** Fields without anything to count. */
const otherFields: ReadonlySet<string> = new Set([
  'account_alerts',
  'account_review_update',
  'account_settings_update',
  'account_update',
  'automatic_events',
  'business_capability_update',
  'business_status_update',
  'calls',
  'flows',
  'group_lifecycle_update',
  'group_participants_update',
  'group_settings_update',
  'group_status_update',
  // Contents of media in a history.
  'history',
  'message_template_components_update',
  'message_template_quality_update',
  'message_template_status_update',
  'messaging_handovers',
  'partner_solutions',
  'payment_configuration_update',
  'phone_number_name_update',
  'phone_number_quality_update',
  'phone_number_username_update',
  'security',
  'smb_app_state_sync',
  'template_category_update',
  'template_correct_category_detection',
]);
/** Types of `messages` and `message_echoes` that do not count as messages. */
const otherTypes: ReadonlySet<string> = new Set([
  'reaction',
  'system',
  'edit',
  'revoke',
  'pin',
  // The person has opened the chat for the first time and has written nothing.
  'request_welcome',
]);
/** Statuses that prove that the message went out. */
const sentStatuses: ReadonlySet<string> = new Set(['sent', 'delivered', 'read', 'played']);

const peopleFields: PersonFields = {
  ids: new Set([
    'from',
    'from_user_id',
    'from_parent_user_id',
    'to',
    'to_user_id',
    'to_parent_user_id',
    'wa_id',
    'user_id',
    'parent_user_id',
    'new_wa_id',
    'customer',
    'recipient_id',
    'recipient_user_id',
    'recipient_parent_user_id',
    'recipient_participant_id',
    'recipient_participant_user_id',
    // Of shared contact cards and of the phone app's address book.
    'phone',
    'phone_number',
  ]),
  parties: new Set(['threads', 'sender', 'recipient']),
  lists: new Set([
    'entry',
    'changes',
    'messages',
    'message_echoes',
    'statuses',
    'contacts',
    'errors',
    'user_preferences',
    'history',
    'threads',
    'state_sync',
    'calls',
    'participants',
    'added_participants',
    'removed_participants',
    'failed_participants',
    'user_id_update',
  ]),
  accountIds: (root) => accountIdsOf(root),
  normal: normalId,
  spelling: /[A-Za-z]+\.[\w.-]+|\d{5,}/g,
};

export const whatsapp: Platform = {
  name: 'whatsapp',
  people: peopleFields,
  contactIds: {
    form: /^(\d{5,15}|(?=.{3,256}$)[A-Za-z]+\.[\w.-]+)$/,
    expected:
      'a telephone number of 5 to 15 digits with its country code, or a user id such as TW.13491208655302741918',
  },
  signature: metaSignature,
  parse: (body, accountId) =>
    readDelivery(body, (root, delivery) => {
      readEntries(root, ['whatsapp_business_account'], delivery, ({ changes, time }, place) => {
        readEach(changes, `${place}.changes`, delivery, (change, changePlace) => {
          readChange(change, changePlace, delivery, { accountId, entryTime: time });
        });
      });
    }),
};

function readChange(
  change: JsonObject,
  place: string,
  delivery: ParsedDelivery,
  { accountId, entryTime }: { accountId: string | null; entryTime: unknown },
): void {
  const field = requireId(change.field, 'field');
  const value = requireObject(change.value, 'value');
  const account = readAccount(value);
  const add = (event: ParsedEvent) => delivery.events.push(forChannel(event, account, accountId));
  if (field === 'history' && Array.isArray(value.history)) {
    if (account === null && accountId !== null) throw new Unreadable('no value.metadata.phone_number_id');
    readHistory(value, `${place}.value.history`, delivery, add);
    return;
  }
  if (!listFields.has(field)) {
    add(readOtherChange(field, value, entryTime));
    return;
  }
  // One app secret serves all numbers of the app, so the signature does not identify the channel.
  if (account === null && accountId !== null) throw new Unreadable('no value.metadata.phone_number_id');
  const present = readers.filter(([list]) => value[list] !== undefined);
  if (present.length === 0) throw new Unreadable('value: no list of messages, statuses or the like');
  const context = { people: readPeople(value, `${place}.value`, delivery), entryTime };
  for (const [list, read] of present) {
    readEach(value[list], `${place}.value.${list}`, delivery, (item) => read(item, context).forEach(add));
  }
}

/** The ids and the number of the business's own telephone numbers. */
function accountIdsOf(root: unknown): unknown[] {
  const values = itemsOf(root, 'entry')
    .flatMap((entry) => itemsOf(entry, 'changes'))
    .map((change) => (isObject(change) ? change.value : undefined));
  return values.flatMap((value) => {
    const metadata = isObject(value) ? value.metadata : undefined;
    return isObject(metadata) ? [metadata.phone_number_id, metadata.display_phone_number] : [];
  });
}

function itemsOf(node: unknown, list: string): unknown[] {
  const items = isObject(node) ? node[list] : undefined;
  return Array.isArray(items) ? items : [];
}

/** The phone number id of the value; null when the value concerns the whole business account. */
export function readAccount({ metadata }: JsonObject): string | null {
  return isObject(metadata) ? readMetaId(metadata.phone_number_id, 'value.metadata.phone_number_id') : null;
}

function readOtherChange(field: string, value: JsonObject, entryTime: unknown): ParsedEvent {
  const happenedAt = readTimeOrNone(entryTime, 'time');
  const what = otherFields.has(field)
    ? ({ kind: 'other', detail: field } as const)
    : ({ kind: 'ignored', detail: readWord(`unknown field: ${field}`) } as const);
  return anonymousEvent('change', { field, value }, { ...what, happenedAt });
}

/** Messages of these states did not go out. */
const unsentStates: ReadonlySet<unknown> = new Set(['ERROR', 'PENDING']);

/** Reads chats of the phone app (manual: "history webhook reference"). A business that shares no history sends errors instead. */
function readHistory(
  value: JsonObject,
  place: string,
  delivery: ParsedDelivery,
  add: (event: ParsedEvent) => void,
): void {
  readEach(value.history, place, delivery, ({ threads }, chunkPlace) => {
    if (threads === undefined) return;
    readEach(threads, `${chunkPlace}.threads`, delivery, (thread, threadPlace) => {
      const person = readPerson(thread, ['id', 'user_id']);
      readEach(thread.messages, `${threadPlace}.messages`, delivery, (message) => {
        const sender = readPerson(message, ['from', 'from_user_id']);
        const isFromPerson =
          sender.number === person.number && sender.userId === (person.userId ?? sender.userId);
        const event = messageEvent(message, isFromPerson ? 'message-in' : 'message-out', named(person));
        const { status } = isObject(message.history_context) ? message.history_context : {};
        const isUnsent = !isFromPerson && unsentStates.has(status);
        add(isUnsent ? { ...event, key: `history:${message.id}`, kind: 'other', detail: 'unsent' } : event);
      });
    });
  });
}

function readMessage(message: JsonObject, { people }: Context): ParsedEvent[] {
  const sender = readPerson(message, ['from', 'from_user_id']);
  const system = message.type === 'system' && isObject(message.system) ? message.system : null;
  if (system === null) return [messageEvent(message, 'message-in', named(people(sender)))];
  const event = messageEvent(message, 'message-in', changedIds(sender, system));
  return [{ ...event, detail: readWord(system.type) ?? event.detail }];
}

function readEcho(echo: JsonObject, { people }: Context): ParsedEvent[] {
  const recipient = readPerson(echo, ['to', 'to_user_id']);
  return [messageEvent(echo, 'message-out', named(people(recipient)))];
}

function messageEvent(message: JsonObject, kind: 'message-in' | 'message-out', person: Named): ParsedEvent {
  const id = requireMetaId(message.id, 'id');
  const type = readType(message);
  const happenedAt = readTime(message.timestamp, 'timestamp');
  const isMessage = type === null || !otherTypes.has(type);
  return {
    // Other items have keys of their own, so that none of them can hide a message with the same id.
    key: `${isMessage ? 'message' : type}:${id}`,
    kind: isMessage ? kind : 'other',
    detail: type,
    ...(readMetaId(message.group_id, 'group_id') === null ? person : noPerson),
    happenedAt,
  };
}

/** The item's type. WhatsApp names the true type of an `unsupported` item in `unsupported.type`. */
function readType({ type, unsupported }: JsonObject): string | null {
  const word = readWord(type);
  if (word !== 'unsupported' || !isObject(unsupported)) return word;
  const trueType = readWord(unsupported.type);
  return trueType !== null && otherTypes.has(trueType) ? trueType : word;
}

/** The status, and the sent message that it proves, at the time of the status. The store keeps the earliest time. */
function readStatus(item: JsonObject, { people }: Context): ParsedEvent[] {
  const id = requireMetaId(item.id, 'id');
  const status = requireId(readWord(item.status), 'status');
  const happenedAt = readTime(item.timestamp, 'timestamp');
  const recipient = readPerson(item, ['recipient_id', 'recipient_user_id']);
  const who = item.recipient_type === 'group' ? noPerson : named(people(recipient));
  const event: ParsedEvent = {
    key: `status:${id}:${status}`,
    kind: 'status',
    detail: status,
    ...who,
    happenedAt,
  };
  if (!sentStatuses.has(status)) return [event];
  return [event, { key: `message:${id}`, kind: 'message-out', detail: null, ...who, happenedAt }];
}

function readError(error: JsonObject, { entryTime }: Context): ParsedEvent[] {
  const detail = Number.isSafeInteger(error.code) ? `error ${error.code}` : 'error';
  const happenedAt = readTimeOrNone(entryTime, 'time');
  return [anonymousEvent('error', error, { kind: 'other', detail, happenedAt })];
}

function readPreference(item: JsonObject, { people }: Context): ParsedEvent[] {
  const happenedAt = readTime(item.timestamp, 'timestamp');
  const detail = 'user_preferences';
  const event = anonymousEvent(detail, item, { kind: 'other', detail, happenedAt });
  return [{ ...event, ...named(people(readPerson(item, ['wa_id', 'user_id']))) }];
}
