/** LINE's webhook events and the request body around them (Messaging API reference, webhooks). */
import { createHash } from 'node:crypto';
import type { Mode, SimulatedEvent } from '../events/event.ts';
import { stableNumber } from '../events/ids.ts';
import { phrase } from '../events/texts.ts';

/** The webhook event, as in its first delivery. */
export function lineEvent(event: SimulatedEvent): object {
  const { id, at, person, groupId } = event;
  const userId = person?.id ?? undefined;
  const source = groupId === undefined ? { type: 'user', userId } : { type: 'group', groupId, userId };
  const replyToken = replyTokenOf(event);
  return {
    ...content(event),
    webhookEventId: id,
    deliveryContext: { isRedelivery: false },
    timestamp: at,
    source,
    ...(replyToken === null ? {} : { replyToken }),
    mode: modeOf(event),
  };
}

/** The reply token of the event; null: no reply is possible. */
export function replyTokenOf(event: SimulatedEvent): string | null {
  const { id, kind, form } = event;
  if (modeOf(event) === 'standby' || kind === 'unfollow' || form === 'unsend') return null;
  return createHash('sha256').update(`reply ${id}`).digest('hex').slice(0, 32);
}

/** The request body for the events. In a redelivery each event is marked. */
export function lineBody(destination: string, events: readonly object[], isRedelivery: boolean): object {
  const marked = isRedelivery
    ? events.map((event) => ({ ...event, deliveryContext: { isRedelivery } }))
    : events;
  return { destination, events: marked };
}

// A module channel controls every tenth chat.
function modeOf({ id, person, groupId, mode }: SimulatedEvent): Mode {
  return mode ?? (stableNumber(groupId ?? person?.id ?? id, 10) === 0 ? 'standby' : 'active');
}

function content({ kind, form, id, aboutId, data }: SimulatedEvent): object {
  if (kind === 'follow') return { type: 'follow', follow: { isUnblocked: form === 'unblocked' } };
  if (kind === 'unfollow') return { type: 'unfollow' };
  if (kind === 'postback')
    return { type: 'postback', postback: { data: data ?? `action=show&item=${stableNumber(id, 90)}` } };
  if (kind === 'message' || kind === 'group-message') return { type: 'message', message: message(form, id) };
  if (form === 'unsend') return { type: 'unsend', unsend: { messageId: messageId(aboutId ?? id) } };
  if (form === 'video-play')
    return { type: 'videoPlayComplete', videoPlayComplete: { trackingId: data ?? 'spring-video' } };
  if (form === 'beacon') return { type: 'beacon', beacon: { hwid: 'd41d8cd98f', type: 'enter' } };
  return { type: 'somethingNew', somethingNew: { of: 'a later year' } };
}

function message(form: string, id: string): object {
  const common = { type: form, id: messageId(id), quoteToken: `q${stableNumber(id, 1e9)}` };
  if (form === 'image') return { ...common, contentProvider: { type: 'line' } };
  if (form === 'sticker') {
    return { ...common, packageId: '11537', stickerId: '52002738', stickerResourceType: 'ANIMATION' };
  }
  if (form === 'location') return { ...common, title: '門市', latitude: 25.033, longitude: 121.5654 };
  return { ...common, text: phrase(id) };
}

function messageId(id: string): string {
  return `6${stableNumber(id, 4e9)}`.padEnd(18, '0');
}
