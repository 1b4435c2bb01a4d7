/**
 * What Messenger and Instagram send: the items of a happening, and the request body around them. The same message may come
 * in `messaging` and in `standby`, and an echo twice, as they do when several apps hold a thread.
 */
import { variety } from './diary.ts';
import type { Happening } from './happening.ts';
import { phrase } from './phrases.ts';

export type Place = 'messaging' | 'standby';
export type MessengerItem = { place: Place; item: object };

/** The items of a happening of the account's thread; one, or two of the same meaning. */
export function messengerItems(happening: Happening, accountId: string): MessengerItem[] {
  const { platform, what, id } = happening;
  const item = threadItem(happening, accountId);
  const kind = platform === 'facebook' ? variety(id, 12) : -1;
  if (kind === 0 && what === 'message') return [item, { ...item, place: 'standby' }];
  if (kind === 1 && what === 'message') return [{ ...item, place: 'standby' }];
  if (kind === 2 && what === 'postback') return [{ ...item, place: 'standby' }];
  if (kind === 3 && what === 'answer') return [item, item];
  return [item];
}

/** The entries of a request body: one for each place that items stand in. */
export function messengerEntries(
  accountId: string,
  items: readonly MessengerItem[],
  sentAt: number,
): object[] {
  return (['messaging', 'standby'] as const).flatMap((place) => {
    const inPlace = items.filter((candidate) => candidate.place === place).map(({ item }) => item);
    return inPlace.length > 0 ? [{ id: accountId, time: sentAt, [place]: inPlace }] : [];
  });
}

/** An entry for an account that is not the shop's, as comes when one app serves several. */
export function foreignEntry(sentAt: number): object {
  const accountId = '999999999999999';
  const message = { mid: 'm_of-another-account', text: 'Hello, other shop' };
  const item = { sender: { id: '5' }, recipient: { id: accountId }, timestamp: sentAt, message };
  return { id: accountId, time: sentAt, messaging: [item] };
}

function threadItem(happening: Happening, accountId: string): MessengerItem {
  const person = { id: happening.person?.id ?? '' };
  const account = { id: accountId };
  const outbound = happening.what === 'answer';
  return {
    place: 'messaging',
    item: {
      sender: outbound ? account : person,
      recipient: outbound ? person : account,
      timestamp: happening.at,
      ...content(happening),
    },
  };
}

function content({ platform, what, form, id, at, about }: Happening): object {
  if (what === 'answer')
    return { message: { mid: id, is_echo: true, app_id: 533300100503262, text: phrase(id) } };
  if (what === 'message') return { message: { mid: id, ...written(form, id) } };
  if (what === 'postback') return { postback: { mid: id, title: 'Get Started', payload: 'GET_STARTED' } };
  if (what === 'optin') return { optin: { type: form, payload: 'topic=sales', title: 'Sales news' } };
  if (what === 'referral') {
    return { referral: { ref: 'spring', source: form === 'ad' ? 'ADS' : 'SHORTLINK', type: 'OPEN_THREAD' } };
  }
  if (form === 'deletion') {
    return platform === 'instagram'
      ? { message: { mid: about, is_deleted: true } }
      : { read: { watermark: at } };
  }
  if (form === 'edit') return { message_edit: { mid: about, text: phrase(id), num_edit: 1 } };
  if (form === 'reaction') return { reaction: { mid: about, action: 'react', reaction: 'love', emoji: '❤️' } };
  if (form === 'unreaction') return { reaction: { mid: about, action: 'unreact' } };
  if (form === 'delivery') return { delivery: { mids: [about], watermark: at } };
  if (form === 'read') return { read: platform === 'instagram' ? { mid: about ?? id } : { watermark: at } };
  return { something_new: { of: 'a later year' } };
}

function written(form: string, id: string): object {
  if (form === 'story-reply') {
    return {
      text: phrase(id),
      reply_to: { story: { id: '14950627997479192', url: 'https://cdn.example.com/s' } },
    };
  }
  if (form === 'text') return { text: phrase(id) };
  return { attachments: [{ type: form, payload: { url: `https://cdn.example.com/${form}` } }] };
}
