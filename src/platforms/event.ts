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
  /** The business records that the contact is blocked, or no longer blocked. */
  'block',
  'unblock',
  'postback',
  'optin',
  'referral',
  /** WhatsApp: the status of a sent message. */
  'status',
  /** A known kind that no figure counts: reads, reactions, edits, joins, … */
  'other',
  /** Unknown kinds, and entries for an account that is not the channel's; `detail` says why. */
  'ignored',
] as const;
export type EventKind = (typeof eventKinds)[number];

/** A stored event. */
export type Event = {
  platform: PlatformName;
  key: string;
  kind: EventKind;
  detail: string | null;
  /** Null: no person, or not a one-to-one chat. */
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

/** The block state of the contact after an event of the kind; null when the kind does not decide it. */
export function blockStateAfter(platform: PlatformName, kind: EventKind): boolean | null {
  if (platform === 'line') return kind === 'unfollow' ? true : kind === 'follow' ? false : null;
  if (platform === 'facebook') {
    if (kind === 'block') return true;
    return kind === 'unblock' || kind === 'message-in' ? false : null;
  }
  // Only the business decides: a blocked visitor cannot write.
  if (platform === 'liveChat') return kind === 'block' ? true : kind === 'unblock' ? false : null;
  return null;
}

/** The `detail` of a LINE follow that lifts a block. */
export const unblocking = 'unblocked';

/** The state of a LINE contact before its first follow: a friend, or a friend who had blocked the account. */
export const earlierFriends = ['friend', 'blocker'] as const;
export type EarlierFriend = (typeof earlierFriends)[number];

/** The state of the contact before the event, as the event shows it; null: unknown, or no friend. */
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
 * True when each event of the kind adds a message to the figures. LINE's outbound messages do not: they are counted by day, from
 * LINE's own figures or from all sends through our gateway. Their events serve conversations only.
 */
export function addsMessage(platform: PlatformName, kind: EventKind): kind is 'message-in' | 'message-out' {
  return isMessage(kind) && !(platform === 'line' && kind === 'message-out');
}
