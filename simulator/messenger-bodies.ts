/**
 * Webhook bodies of Messenger and Instagram. Some messages are in `messaging`, some in `standby`, some in both, and some echoes
 * are repeated. Platforms do this when several apps share a thread.
 */
import type { SimulatedEvent } from './events/event.ts';
import { stableNumber } from './events/ids.ts';
import { phrase } from './events/texts.ts';

const lists = ['messaging', 'standby'] as const;
type MessengerItem = { list: (typeof lists)[number]; item: object };

/** The items of an event: one, or two that mean the same. */
export function messengerItems(event: SimulatedEvent, accountId: string): MessengerItem[] {
  const { platform, kind, id } = event;
  const item = threadItem(event, accountId);
  const variant = platform === 'facebook' ? stableNumber(id, 12) : -1;
  if (variant === 0 && kind === 'message') return [item, { ...item, list: 'standby' }];
  if (variant === 1 && kind === 'message') return [{ ...item, list: 'standby' }];
  if (variant === 2 && kind === 'postback') return [{ ...item, list: 'standby' }];
  if (variant === 3 && kind === 'answer') return [item, item];
  return [item];
}

/** The entries of a request body: one for each list with items. */
export function messengerEntries(
  accountId: string,
  items: readonly MessengerItem[],
  sentAt: number,
): object[] {
  return lists.flatMap((list) => {
    const ofList = items.filter((item) => item.list === list).map(({ item }) => item);
    return ofList.length > 0 ? [{ id: accountId, time: sentAt, [list]: ofList }] : [];
  });
}

/** An entry of another account, as in requests to an app that serves several pages. */
export function foreignEntry(sentAt: number): object {
  const accountId = '999999999999999';
  const message = { mid: 'm_of-another-account', text: 'Hello, other shop' };
  const item = { sender: { id: '5' }, recipient: { id: accountId }, timestamp: sentAt, message };
  return { id: accountId, time: sentAt, messaging: [item] };
}

function threadItem(event: SimulatedEvent, accountId: string): MessengerItem {
  const person = { id: event.person?.id ?? '' };
  const account = { id: accountId };
  const isOutbound = event.kind === 'answer';
  return {
    list: 'messaging',
    item: {
      sender: isOutbound ? account : person,
      recipient: isOutbound ? person : account,
      timestamp: event.at,
      ...content(event),
    },
  };
}

function content({ platform, kind, form, id, at, aboutId }: SimulatedEvent): object {
  if (kind === 'answer')
    return { message: { mid: id, is_echo: true, app_id: 533300100503262, text: phrase(id) } };
  if (kind === 'message') return { message: { mid: id, ...messageContent(form, id) } };
  if (kind === 'postback') return { postback: { mid: id, title: 'Get Started', payload: 'GET_STARTED' } };
  if (kind === 'optin') return { optin: { type: form, payload: 'topic=sales', title: 'Sales news' } };
  if (kind === 'referral') {
    return { referral: { ref: 'spring', source: form === 'ad' ? 'ADS' : 'SHORTLINK', type: 'OPEN_THREAD' } };
  }
  if (form === 'deletion') {
    return platform === 'instagram'
      ? { message: { mid: aboutId, is_deleted: true } }
      : { read: { watermark: at } };
  }
  if (form === 'edit') return { message_edit: { mid: aboutId, text: phrase(id), num_edit: 1 } };
  if (form === 'reaction') {
    return { reaction: { mid: aboutId, action: 'react', reaction: 'love', emoji: '❤️' } };
  }
  if (form === 'unreaction') return { reaction: { mid: aboutId, action: 'unreact' } };
  if (form === 'delivery') return { delivery: { mids: [aboutId], watermark: at } };
  if (form === 'read') {
    return { read: platform === 'instagram' ? { mid: aboutId ?? id } : { watermark: at } };
  }
  return { something_new: { of: 'a later year' } };
}

function messageContent(form: string, id: string): object {
  if (form === 'story-reply') {
    return {
      text: phrase(id),
      reply_to: { story: { id: '14950627997479192', url: 'https://cdn.example.com/s' } },
    };
  }
  if (form === 'text') return { text: phrase(id) };
  return { attachments: [{ type: form, payload: { url: `https://cdn.example.com/${form}` } }] };
}
