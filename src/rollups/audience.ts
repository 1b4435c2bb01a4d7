/**
 * Followers and blocks (figures.md, section 4): the pure fold of one contact.
 *
 * A contact is a follower from its earliest event that makes one. Its block state is decided by the event with the latest
 * time (ties: the larger key); a day's `blocks` is the number of contacts that went into that state less those that left it.
 * Both follow from the whole set of the contact's events, so the order of arrival cannot matter.
 */
import type { PlatformName } from '../platforms/platform.ts';
import type { Tally } from './tally.ts';

/** An event that says whether its contact is blocked. */
export type StateEvent = { key: string; at: number; blocked: boolean };

/**
 * Moves a contact's first follow: null means no follower. Adds the follower on its day, or moves it to an earlier one.
 * Gives the earlier of the two times.
 */
export function foldFollow(
  tally: Tally,
  platform: PlatformName,
  followedAt: number | null,
  at: number,
): number {
  if (followedAt !== null && followedAt <= at) return followedAt;
  if (followedAt !== null) tally.add(platform, followedAt, { followers: 1 }, -1);
  tally.add(platform, at, { followers: 1 });
  return at;
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
