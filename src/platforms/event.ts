/**
 * The one vocabulary of events, and the one table of what each kind counts as (figures.md, sections 3 and 4).
 */
import type { PlatformName } from './platform.ts';

export const eventKinds = [
  /** A message from the contact. */
  'message-in',
  /** A message from the business. */
  'message-out',
  'follow',
  /** LINE: the contact blocks the account. */
  'unfollow',
  /** The business records that the contact is blocked, or not any more. */
  'block',
  'unblock',
  'postback',
  'optin',
  'referral',
  /** WhatsApp: what became of a sent message. */
  'status',
  /** A known kind that no figure counts: reads, reactions, edits, joins, … */
  'other',
  /** Unknown kinds, and entries for an account that is not the channel's; `detail` says why. */
  'ignored',
] as const;
export type EventKind = (typeof eventKinds)[number];

/** An event as it is stored: read from its delivery, its person resolved to a contact. */
export type Event = {
  platform: PlatformName;
  key: string;
  kind: EventKind;
  detail: string | null;
  /** Null: no person, or not in a one-to-one chat. */
  contactId: string | null;
  /** ms */
  happenedAt: number;
};

const followKinds: Record<PlatformName, readonly EventKind[]> = {
  line: ['follow', 'unfollow'],
  facebook: ['message-in', 'postback', 'optin', 'referral'],
  instagram: ['message-in', 'postback'],
  whatsapp: ['message-in', 'postback'],
  liveChat: ['message-in'],
};

/** True when an event of the kind makes its contact a follower. */
export function makesFollower(platform: PlatformName, kind: EventKind): boolean {
  return followKinds[platform].includes(kind);
}

/** The block state that an event of the kind puts its contact in; null when it says nothing about it. */
export function blockStateAfter(platform: PlatformName, kind: EventKind): boolean | null {
  if (platform === 'line') return kind === 'unfollow' ? true : kind === 'follow' ? false : null;
  if (platform === 'facebook') {
    if (kind === 'block') return true;
    return kind === 'unblock' || kind === 'message-in' ? false : null;
  }
  // Nobody but the business says so: who is blocked cannot write.
  if (platform === 'liveChat') return kind === 'block' ? true : kind === 'unblock' ? false : null;
  return null;
}

/** The `detail` of a LINE follow that lifts a block. */
export const unblocking = 'unblocked';

/** What a LINE contact was before its first follow: a friend, or a friend who had blocked the account. */
export const earlierFriends = ['friend', 'blocker'] as const;
export type EarlierFriend = (typeof earlierFriends)[number];

/** What an event shows about its contact before it; null: nothing, or the contact was no friend. */
export function earlierFriendOf(
  platform: PlatformName,
  { kind, detail }: Pick<Event, 'kind' | 'detail'>,
): EarlierFriend | null {
  if (platform !== 'line') return null;
  if (kind === 'unfollow') return 'friend';
  return kind === 'follow' && detail === unblocking ? 'blocker' : null;
}

/** True when the kind counts as a message. */
export function isMessage(kind: EventKind): kind is 'message-in' | 'message-out' {
  return kind === 'message-in' || kind === 'message-out';
}

/**
 * True when each event of the kind adds a message to the figures. What LINE was sent does not: it is counted by the day, of
 * LINE's own figures or of all our sends, and its events are there for conversations only.
 */
export function addsMessage(platform: PlatformName, kind: EventKind): kind is 'message-in' | 'message-out' {
  return isMessage(kind) && !(platform === 'line' && kind === 'message-out');
}
