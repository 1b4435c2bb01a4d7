/**
 * Followers and blocks (figures.md, section 4): the pure fold of one contact.
 *
 * A contact is a follower from its earliest event that makes one. Its block state is decided by the event with the latest
 * time (ties: the larger key); a day's `blocks` is the number of contacts that went into that state less those that left it.
 * Both follow from the whole set of the contact's events, so the order of arrival cannot matter.
 */
import {
  type EarlierFriend,
  type Event,
  earlierFriendOf,
  earlierFriends,
  makesFollower,
} from '../platforms/event.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Tally } from './counters.ts';

/** A contact's first follow (ms), and what its event shows about the contact before it. */
export type FirstFollow = { followedAt: number; earlierFriend: EarlierFriend | null };

/** An event that says whether its contact is blocked. */
export type StateEvent = { key: string; at: number; blocked: boolean };

/** The follow that an event makes its contact's; null when it makes no follower. */
export function followOf(event: Event): FirstFollow | null {
  const { platform, kind, happenedAt } = event;
  if (!makesFollower(platform, kind)) return null;
  return { followedAt: happenedAt, earlierFriend: earlierFriendOf(platform, event) };
}

/** The first follow after a further follow; null: the contact was no follower. Tallies the difference. */
export function foldFollow(
  tally: Tally,
  platform: PlatformName,
  first: FirstFollow | null,
  follow: FirstFollow,
): FirstFollow {
  if (first !== null && !isBefore(follow, first)) return first;
  if (first !== null) tallyFollow(tally, platform, first, -1);
  tallyFollow(tally, platform, follow, 1);
  return follow;
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

/** Replaces what a contact's events meant for blocks by what they mean now. Gives the block state now. */
export function foldBlocks(
  tally: Tally,
  platform: PlatformName,
  before: readonly StateEvent[],
  after: readonly StateEvent[],
): boolean {
  addTransitions(tally, platform, before, -1);
  return addTransitions(tally, platform, after, 1);
}

function addTransitions(
  tally: Tally,
  platform: PlatformName,
  events: readonly StateEvent[],
  sign: 1 | -1,
): boolean {
  let blocked = false;
  for (const event of [...events].sort(byTimeThenKey)) {
    if (event.blocked !== blocked) tally.add(platform, event.at, { blocks: event.blocked ? 1 : -1 }, sign);
    blocked = event.blocked;
  }
  return blocked;
}

function byTimeThenKey(a: StateEvent, b: StateEvent): number {
  return a.at - b.at || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}
