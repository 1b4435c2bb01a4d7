/** The webhook messages about new messages of visitors. Pure. */
import type { Event } from '../platforms/event.ts';
import { messageIdOf } from '../platforms/live-chat.ts';
import type { Change } from '../webhooks-out/outbox.ts';

/** The messages of visitors among new events. Each is dispatched once, because an event is new once. */
export function chatMessages(newEvents: readonly Event[]): Change[] {
  return newEvents.flatMap(({ platform, kind, key, contactId, happenedAt }) =>
    platform === 'liveChat' && kind === 'message-in' && contactId !== null
      ? [{ type: 'chat.message', contactId, at: happenedAt, data: { messageId: messageIdOf(key) } }]
      : [],
  );
}
