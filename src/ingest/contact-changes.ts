/**
 * The webhook messages of a batch: the changes of its contacts' states, and the messages of live chat's visitors. Pure.
 *
 * A change is the difference between a contact before and after the batch, whatever the events are. So a delivery that comes late,
 * twice or out of order dispatches nothing untrue: an older follow, or a block that was lifted since, changes no state. Of one
 * contact, the follow goes before the block.
 */
import type { Event } from '../platforms/event.ts';
import { messageIdOf } from '../platforms/live-chat.ts';
import type { Change } from '../webhooks-out/outbox.ts';
import type { Contact } from './people.ts';

/** Each change has the platform's time of the event that decided it; `now` (ms) when no such event is left. */
export function stateChanges(
  contacts: readonly Pick<Contact, 'contactId' | 'followedAt' | 'blocked' | 'blockedAt' | 'before'>[],
  now: number,
): Change[] {
  return contacts.flatMap(({ contactId, followedAt, blocked, blockedAt, before }) => {
    const changes: Change[] = [];
    if (followedAt !== null && !before.isFollower)
      changes.push({ type: 'contact.followed', contactId, at: followedAt, data: {} });
    if (blocked !== before.isBlocked) {
      const type = blocked ? 'contact.blocked' : 'contact.unblocked';
      changes.push({ type, contactId, at: blockedAt ?? now, data: {} });
    }
    return changes;
  });
}

/** The messages of visitors among new events. Each is dispatched once, because an event is new once. */
export function chatMessages(newEvents: readonly Event[]): Change[] {
  return newEvents.flatMap(({ platform, kind, key, contactId, happenedAt }) =>
    platform === 'liveChat' && kind === 'message-in' && contactId !== null
      ? [{ type: 'chat.message', contactId, at: happenedAt, data: { messageId: messageIdOf(key) } }]
      : [],
  );
}
