/** What LINE sends: the webhook events of a happening, and the request body around them (Messaging API reference, webhooks). */
import { createHash } from 'node:crypto';
import { variety } from './diary.ts';
import type { Happening, Mode } from './happening.ts';
import { phrase } from './phrases.ts';

/** The webhook event of a happening, as it is sent the first time. */
export function lineEvent(happening: Happening): object {
  const { id, at, person, group } = happening;
  const userId = person?.id ?? undefined;
  const source = group === undefined ? { type: 'user', userId } : { type: 'group', groupId: group, userId };
  const replyToken = replyTokenOf(happening);
  return {
    ...content(happening),
    webhookEventId: id,
    deliveryContext: { isRedelivery: false },
    timestamp: at,
    source,
    ...(replyToken === null ? {} : { replyToken }),
    mode: modeOf(happening),
  };
}

/** The token with which the happening can be answered; null: it cannot. */
export function replyTokenOf(happening: Happening): string | null {
  const { id, what, form } = happening;
  if (modeOf(happening) === 'standby' || what === 'unfollow' || form === 'unsend') return null;
  return createHash('sha256').update(`reply ${id}`).digest('hex').slice(0, 32);
}

// A module channel has every tenth chat: then the event comes without a reply token.
function modeOf({ id, person, group, mode }: Happening): Mode {
  return mode ?? (variety(group ?? person?.id ?? id, 10) === 0 ? 'standby' : 'active');
}

/** The request body for the events; a redelivery says so in each of them. */
export function lineBody(destination: string, events: readonly object[], isRedelivery: boolean): object {
  const sent = isRedelivery
    ? events.map((event) => ({ ...event, deliveryContext: { isRedelivery } }))
    : events;
  return { destination, events: sent };
}

function content({ what, form, id, about, data }: Happening): object {
  if (what === 'follow') return { type: 'follow', follow: { isUnblocked: form === 'unblocked' } };
  if (what === 'unfollow') return { type: 'unfollow' };
  if (what === 'postback')
    return { type: 'postback', postback: { data: data ?? `action=show&item=${variety(id, 90)}` } };
  if (what === 'message' || what === 'group-message') return { type: 'message', message: message(form, id) };
  if (form === 'unsend') return { type: 'unsend', unsend: { messageId: messageId(about ?? id) } };
  if (form === 'video-play')
    return { type: 'videoPlayComplete', videoPlayComplete: { trackingId: data ?? 'spring-video' } };
  if (form === 'beacon') return { type: 'beacon', beacon: { hwid: 'd41d8cd98f', type: 'enter' } };
  return { type: 'somethingNew', somethingNew: { of: 'a later year' } };
}

function message(form: string, id: string): object {
  const common = { type: form, id: messageId(id), quoteToken: `q${variety(id, 1e9)}` };
  if (form === 'image') return { ...common, contentProvider: { type: 'line' } };
  if (form === 'sticker') {
    return { ...common, packageId: '11537', stickerId: '52002738', stickerResourceType: 'ANIMATION' };
  }
  if (form === 'location') return { ...common, title: '門市', latitude: 25.033, longitude: 121.5654 };
  return { ...common, text: phrase(id) };
}

function messageId(id: string): string {
  return `6${variety(id, 4e9)}`.padEnd(18, '0');
}
