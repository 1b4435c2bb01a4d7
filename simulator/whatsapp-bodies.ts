/**
 * What WhatsApp's Cloud API sends: the changes of a happening, and the request body around them. A sent message is told by
 * its statuses, one change each. Times are strings of seconds. People show a number, a user id, or both.
 */
import { secondMs } from '../src/time.ts';
import { variety } from './diary.ts';
import { type Happening, personKey, type SentStatus } from './happening.ts';
import { nameOf } from './names.ts';
import { phrase } from './phrases.ts';

const businessNumber = '886255501000';
const pricing = { billable: false, pricing_model: 'PMP', type: 'free_customer_service', category: 'service' };

/** The changes that tell of a happening. */
export function whatsappChanges(happening: Happening, phoneNumberId: string): object[] {
  const { what, form, statuses = [] } = happening;
  if (what === 'answer' || what === 'group-answer') {
    return statuses.map((status) => sentChange(happening, status, phoneNumberId));
  }
  if (form === 'preference') return [preferenceChange(happening, phoneNumberId)];
  if (form === 'unknown') return [change('something_new', phoneNumberId, { of: 'a later year' })];
  const contacts = form === 'system' ? {} : { contacts: [contactOf(happening)] };
  return [change('messages', phoneNumberId, { ...contacts, messages: [message(happening)] })];
}

/** The request body for changes. */
export function whatsappBody(accountId: string, changes: readonly object[]): object {
  return { object: 'whatsapp_business_account', entry: [{ id: accountId, changes }] };
}

/** A change for a number that is not the shop's; one WhatsApp account may hold several. */
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

function message(happening: Happening): object {
  const { form, id, at, group, about } = happening;
  const { number, userId } = idsOf(happening);
  const common = {
    from: number ?? '',
    ...(userId === null ? {} : { from_user_id: userId }),
    ...(group === undefined ? {} : { group_id: group }),
    id,
    timestamp: seconds(at),
  };
  return { ...common, ...content(form, id, about) };
}

function content(form: string, id: string, about: string | undefined): object {
  if (form === 'reaction') return { type: form, reaction: { message_id: about, emoji: '👍' } };
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

function sentChange(happening: Happening, told: SentStatus, phoneNumberId: string): object {
  const { id, group, shown } = happening;
  // The first status tells of the number that was written to; the later ones of who has it.
  const { number, userId } = idsOf({
    ...happening,
    ...(told.status === 'sent' && shown === 'both' ? { shown: 'number' } : {}),
  });
  if (told.status === 'echo') {
    const to = { to: number ?? '', ...(userId === null ? {} : { to_user_id: userId }) };
    const content = { id, timestamp: seconds(told.at), type: 'text', text: { body: phrase(id) } };
    const echo = {
      from: businessNumber,
      ...(group === undefined ? to : { to: group, group_id: group }),
      ...content,
    };
    return change('smb_message_echoes', phoneNumberId, { message_echoes: [echo] });
  }
  const recipient =
    group === undefined
      ? { recipient_id: number ?? '', ...(userId === null ? {} : { recipient_user_id: userId }) }
      : { recipient_id: group, recipient_type: 'group', recipient_participant_id: '886900000001' };
  const errors =
    told.status === 'failed' ? { errors: [{ code: 131049, title: 'Not delivered' }] } : { pricing };
  const status = { id, status: told.status, timestamp: seconds(told.at), ...recipient, ...errors };
  return change('messages', phoneNumberId, { statuses: [status] });
}

function preferenceChange(happening: Happening, phoneNumberId: string): object {
  const { number, userId } = idsOf(happening);
  const preference = {
    ...(number === null ? { user_id: userId } : { wa_id: number }),
    category: 'marketing_messages',
    value: variety(happening.id, 2) === 0 ? 'stop' : 'resume',
    timestamp: happening.at / secondMs,
  };
  const value = { contacts: [contactOf(happening)], user_preferences: [preference] };
  return change('user_preferences', phoneNumberId, value);
}

function contactOf(happening: Happening): object {
  const { number, userId } = idsOf(happening);
  return {
    profile: { name: nameOf(happening.person ? personKey(happening.person) : happening.id) },
    ...(number === null ? {} : { wa_id: number }),
    ...(userId === null ? {} : { user_id: userId }),
  };
}

function idsOf({ person, shown }: Happening): { number: string | null; userId: string | null } {
  return {
    number: shown === 'user-id' ? null : (person?.id ?? null),
    userId: shown === 'number' ? null : (person?.userId ?? null),
  };
}

function seconds(at: number): string {
  return String(at / secondMs);
}
