/**
 * Followers (figures.md, section 4): the fold of a contact's first follow, and the state of contacts that a batch writes.
 *
 * A contact is a follower from its earliest event that makes one, whatever the order of arrival. Its block state: blocks.ts.
 */
import type { Queryable } from '../database/client.ts';
import { type Column, changedBotOf, rowTable } from '../database/row-table.ts';
import {
  blockStateAfter,
  type EarlierFriend,
  type Event,
  earlierFriendOf,
  earlierFriends,
  eventKinds,
  makesFollower,
} from '../platforms/event.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import type { Tally } from './counters.ts';

/** A contact's first follow (ms), and what its event shows about the contact before it. */
export type FirstFollow = { followedAt: number; earlierFriend: EarlierFriend | null };

/** The state of a contact as a row of `contacts` stores it. `followedAt` null: no follower. */
export type FollowerState = {
  botId: string;
  contactId: string;
  followedAt: number | null;
  earlierFriend: EarlierFriend | null;
  blocked: boolean;
  everBlocked: boolean;
};

/** A contact in a batch. */
export type FoldedContact = FollowerState & {
  platform: PlatformName;
  /** True when the state differs from the row. */
  isChanged: boolean;
  /** When the event that decides `blocked` happened (ms); null: this batch does not change the block state. */
  blockedAt: number | null;
  /** An event of this batch ended a block, also one that the batch began or that was not reported. */
  hasReturned: boolean;
};

/** An event with its contact. */
export type ContactEvent = Event & { person: FoldedContact | null };
/** A stored event before and after the reports of a batch. */
export type EventChange<Of extends Event = ContactEvent> = { before: Of; after: Of };

/** The follow that an event makes its contact's; null when it makes no follower. */
function followOf(event: Event): FirstFollow | null {
  const { platform, kind, happenedAt } = event;
  if (!makesFollower(platform, kind)) return null;
  return { followedAt: happenedAt, earlierFriend: earlierFriendOf(platform, event) };
}

/** The first follow after further events of the contact; `first` null: the contact was no follower. Tallies the difference. */
export function foldFollows(
  tally: Tally,
  platform: PlatformName,
  first: FirstFollow | null,
  events: readonly Event[],
): FirstFollow | null {
  return events.reduce((earliest, event) => {
    const follow = followOf(event);
    if (follow === null || (earliest !== null && !isBefore(follow, earliest))) return earliest;
    if (earliest !== null) tallyFollow(tally, platform, earliest, -1);
    tallyFollow(tally, platform, follow, 1);
    return follow;
  }, first);
}

/** Counts the follower on the day of its first follow. */
export function tallyFollow(
  tally: Tally,
  platform: PlatformName,
  { followedAt, earlierFriend }: FirstFollow,
  sign: 1 | -1,
): void {
  const change = {
    followers: 1,
    earlierFriends: earlierFriend === null ? 0 : 1,
    earlierBlockers: earlierFriend === 'blocker' ? 1 : 0,
  };
  tally.add(platform, followedAt, change, sign);
}

function isBefore(a: FirstFollow, b: FirstFollow): boolean {
  const rank = ({ earlierFriend }: FirstFollow) => [null, ...earlierFriends].indexOf(earlierFriend);
  return (a.followedAt - b.followedAt || rank(a) - rank(b)) < 0;
}

/** The events of one bot in a batch. */
export type BotChanges = {
  tally: Tally;
  newEvents: readonly ContactEvent[];
  changes: readonly EventChange[];
};

/**
 * Folds the follows of the events into their contacts. A new event can only make a contact a follower earlier. Returns the contacts
 * that need their whole history: those that lost an event, and those whose block state may differ now (refold-followers.ts).
 */
export function foldFollowers({ tally, newEvents, changes }: BotChanges): Set<FoldedContact> {
  const addedEvents = changes.length === 0 ? newEvents : [...newEvents, ...changes.map(({ after }) => after)];
  const replacedEvents = changes.map(({ before }) => before);
  const contacts = contactsToRefold(addedEvents, replacedEvents);
  for (const event of addedEvents) {
    const { person, platform, kind } = event;
    if (!person || contacts.has(person) || !makesFollower(platform, kind)) continue;
    if (earlierFriendOf(platform, event) === 'blocker') setReturned(person);
    setFollow(person, foldFollows(tally, platform, firstFollow(person), [event]));
  }
  return contacts;
}

/** The kinds that make a follower or decide a block state on any platform. */
export const followerKinds = eventKinds.filter((kind) =>
  platformNames.some((name) => makesFollower(name, kind) || blockStateAfter(name, kind) !== null),
);

/** Contacts that lost an event that counts here, and contacts whose block state may differ: a message can only lift a block. */
function contactsToRefold(
  addedEvents: readonly ContactEvent[],
  replacedEvents: readonly ContactEvent[],
): Set<FoldedContact> {
  const blocks = addedEvents.filter(({ platform, kind }) => blockStateAfter(platform, kind) === true);
  const blockedNow = new Set(blocks.map(({ person }) => person));
  const contacts = new Set<FoldedContact>();
  for (const { person, platform, kind } of addedEvents) {
    if (person && (person.everBlocked || blockedNow.has(person)) && blockStateAfter(platform, kind) !== null)
      contacts.add(person);
  }
  for (const { person, kind } of replacedEvents) {
    if (person && followerKinds.includes(kind)) contacts.add(person);
  }
  return contacts;
}

export function firstFollow({ followedAt, earlierFriend }: FoldedContact): FirstFollow | null {
  return followedAt === null ? null : { followedAt, earlierFriend };
}

export function setFollow(person: FoldedContact, first: FirstFollow | null): void {
  const { followedAt, earlierFriend } = first ?? { followedAt: null, earlierFriend: null };
  if (followedAt === person.followedAt && earlierFriend === person.earlierFriend) return;
  Object.assign(person, { followedAt, earlierFriend, isChanged: true });
}

export function setReturned(person: FoldedContact): void {
  Object.assign(person, { hasReturned: true, isChanged: true });
}

/** Writes the states of contacts. Idempotent. */
export async function writeFollowerStates(
  sql: Queryable,
  states: readonly (FollowerState & Partial<Pick<FoldedContact, 'hasReturned'>>)[],
): Promise<void> {
  if (states.length === 0) return;
  await sql`
    update contacts
    set followed_at = new.followed_at, earlier_friend = new.earlier_friend, blocked = new.blocked,
      ever_blocked = new.ever_blocked,
      -- The platform refused the profile until now. Due before all others, and always a new value: a running call with the answer of
      -- the blocked account must not replace it (profiles/queue.ts).
      profile_due_at = case
        when not (new.has_returned or contacts.blocked and not new.blocked
          or contacts.followed_at is null and new.followed_at is not null) then profile_due_at
        when profile_due_at < '1970-01-02T00:00:00Z' then profile_due_at + interval '1 millisecond'
        else 'epoch' end
    from ${rowTable(sql, 'new', states, {
      ...stateColumns,
      has_returned: ['boolean', ({ hasReturned = false }) => hasReturned],
    })}
    where contacts.bot_id = ${changedBotOf(sql, 'new', states)} and contacts.contact_id = new.contact_id`;
}

/** The columns of `contacts` that hold the state. */
export const stateColumns: Record<string, Column<FollowerState>> = {
  bot_id: ['text', ({ botId }) => botId],
  contact_id: ['text', ({ contactId }) => contactId],
  followed_at: ['timestamptz', ({ followedAt }) => followedAt],
  earlier_friend: ['text', ({ earlierFriend }) => earlierFriend],
  blocked: ['boolean', ({ blocked }) => blocked],
  ever_blocked: ['boolean', ({ everBlocked }) => everBlocked],
};
