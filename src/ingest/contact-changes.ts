/**
 * The webhook messages about changed states of a batch's contacts. Pure.
 *
 * A change is the difference between a contact before and after the batch, whatever the events are. So a delivery that comes late,
 * twice or out of order dispatches nothing untrue: an older follow, or a block that was lifted since, changes no state. Of one
 * contact, the follow goes before the block.
 */
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
