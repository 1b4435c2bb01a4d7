/**
 * Webhook bodies of WhatsApp's Cloud API. A sent message appears as its statuses, one change each. Times are strings of
 * seconds. A body contains a person's number, user id, or both.
 */
import { secondMs } from '../src/time.ts';
import { type MessageStatus, personKey, type SimulatedEvent } from './events/event.ts';
import { stableNumber } from './events/ids.ts';
import { nameOf, phrase } from './events/texts.ts';

const businessNumber = '886255501000';
const pricing = { billable: false, pricing_model: 'PMP', type: 'free_customer_service', category: 'service' };

/** The changes of an event. */
export function whatsappChanges(event: SimulatedEvent, phoneNumberId: string): object[] {
  const { kind, form, statuses = [] } = event;
  if (kind === 'answer' || kind === 'group-answer') {
    return statuses.map((status) => statusChange(event, status, phoneNumberId));
  }
  if (form === 'preference') return [preferenceChange(event, phoneNumberId)];
  if (form === 'unknown') return [change('something_new', phoneNumberId, { of: 'a later year' })];
  const contacts = form === 'system' ? {} : { contacts: [contactOf(event)] };
  return [change('messages', phoneNumberId, { ...contacts, messages: [message(event)] })];
}

/** The request body for changes. */
export function whatsappBody(accountId: string, changes: readonly object[]): object {
  return { object: 'whatsapp_business_account', entry: [{ id: accountId, changes }] };
}

/** A change of another number; one WhatsApp account may have several. */
export function foreignChange(sentAt: number): object {
  const message = {
    from: '15550001',
    id: 'wamid.other',
    timestamp: seconds(sentAt),
    type: 'text',
    text: { body: 'Hi' },
  };
  return change('messages', '999999999999999', { messages: [message] });
}

function change(field: string, phoneNumberId: string, value: object): object {
  const metadata = { display_phone_number: businessNumber, phone_number_id: phoneNumberId };
  return { value: { messaging_product: 'whatsapp', metadata, ...value }, field };
}

function message(event: SimulatedEvent): object {
  const { form, id, at, groupId, aboutId } = event;
  const { number, userId } = idsOf(event);
  return {
    from: number ?? '',
    ...(userId === null ? {} : { from_user_id: userId }),
    ...(groupId === undefined ? {} : { group_id: groupId }),
    id,
    timestamp: seconds(at),
    ...content(form, id, aboutId),
  };
}

function content(form: string, id: string, aboutId: string | undefined): object {
  if (form === 'reaction') return { type: form, reaction: { message_id: aboutId, emoji: '👍' } };
  if (form === 'system')
    return { type: form, system: { body: 'A customer changed numbers', type: 'customer_notice' } };
  if (form === 'button') return { type: form, button: { payload: 'book', text: '預約' } };
  if (form === 'interactive') {
    return { type: form, interactive: { type: 'button_reply', button_reply: { id: 'yes', title: '好' } } };
  }
  if (form === 'image' || form === 'sticker')
    return { type: form, [form]: { mime_type: 'image/webp', id: '1681712290' } };
  if (form === 'location') return { type: form, location: { latitude: 25.033, longitude: 121.5654 } };
  return { type: 'text', text: { body: phrase(id) } };
}

function statusChange(
  event: SimulatedEvent,
  { status, at, code = 131049 }: MessageStatus,
  phoneNumberId: string,
): object {
  const { id, groupId, visibleIds } = event;
  // The first status contains the number that the business wrote to, the later ones the ids of its owner.
  const { number, userId } = idsOf({
    ...event,
    ...(status === 'sent' && visibleIds === 'both' ? { visibleIds: 'number' } : {}),
  });
  if (status === 'echo') {
    const to = { to: number ?? '', ...(userId === null ? {} : { to_user_id: userId }) };
    const content = { id, timestamp: seconds(at), type: 'text', text: { body: phrase(id) } };
    const echo = {
      from: businessNumber,
      ...(groupId === undefined ? to : { to: groupId, group_id: groupId }),
      ...content,
    };
    return change('smb_message_echoes', phoneNumberId, { message_echoes: [echo] });
  }
  const recipient =
    groupId === undefined
      ? { recipient_id: number ?? '', ...(userId === null ? {} : { recipient_user_id: userId }) }
      : { recipient_id: groupId, recipient_type: 'group', recipient_participant_id: '886900000001' };
  const details = status === 'failed' ? { errors: [{ code, title: 'Not delivered' }] } : { pricing };
  const value = { id, status, timestamp: seconds(at), ...recipient, ...details };
  return change('messages', phoneNumberId, { statuses: [value] });
}

function preferenceChange(event: SimulatedEvent, phoneNumberId: string): object {
  const { number, userId } = idsOf(event);
  const preference = {
    ...(number === null ? { user_id: userId } : { wa_id: number }),
    category: 'marketing_messages',
    value: stableNumber(event.id, 2) === 0 ? 'stop' : 'resume',
    timestamp: event.at / secondMs,
  };
  const value = { contacts: [contactOf(event)], user_preferences: [preference] };
  return change('user_preferences', phoneNumberId, value);
}

function contactOf(event: SimulatedEvent): object {
  const { number, userId } = idsOf(event);
  return {
    profile: { name: nameOf(event.person ? personKey(event.person) : event.id) },
    ...(number === null ? {} : { wa_id: number }),
    ...(userId === null ? {} : { user_id: userId }),
  };
}

function idsOf({ person, visibleIds }: SimulatedEvent): { number: string | null; userId: string | null } {
  return {
    number: visibleIds === 'user-id' ? null : (person?.id ?? null),
    userId: visibleIds === 'number' ? null : (person?.userId ?? null),
  };
}

function seconds(at: number): string {
  return String(at / secondMs);
}
