/**
 * What a fold's batch has changed of its contacts' states, to be told to the bot's callback address; and what visitors of live
 * chat wrote, so that a program can answer: pure.
 *
 * Told is the difference between a contact before the batch and after it, not the events: so a delivery that comes late, twice
 * or out of order tells nothing that is not so. A follow that proves older than a known one, or a block that was lifted since,
 * changes no state and is not told; who blocked and came back within one batch is as before. First the follow, then the block.
 */

import type { Contact } from '../contacts/batch-contacts.ts';
import type { Event } from '../platforms/event.ts';
import { messageIdOf } from '../platforms/live-chat.ts';
import type { Change } from '../webhooks-out/outbox.ts';

/** The changes, each with the platform's time of the event that decided it. `now` (ms) stands where no event of it is left. */
export function stateChanges(
  contacts: readonly Pick<Contact, 'contactId' | 'followedAt' | 'blocked' | 'blockedAt' | 'before'>[],
  now: number,
): Change[] {
  return contacts.flatMap(({ contactId, followedAt, blocked, blockedAt, before }) => {
    const changes: Change[] = [];
    if (followedAt !== null && !before.followed)
      changes.push({ type: 'contact.followed', contactId, at: followedAt, data: {} });
    if (blocked !== before.blocked) {
      const type = blocked ? 'contact.blocked' : 'contact.unblocked';
      changes.push({ type, contactId, at: blockedAt ?? now, data: {} });
    }
    return changes;
  });
}

/** The messages of visitors among events that are new: each is told once, because each is new once. */
export function chatMessages(fresh: readonly Event[]): Change[] {
  return fresh.flatMap(({ platform, kind, key, contactId, happenedAt }) =>
    platform === 'liveChat' && kind === 'message-in' && contactId !== null
      ? [{ type: 'chat.message', contactId, at: happenedAt, data: { messageId: messageIdOf(key) } }]
      : [],
  );
}
