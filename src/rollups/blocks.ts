/**
 * Blocks (figures.md, section 4): the pure fold of one contact.
 *
 * The event with the latest time (ties: the larger key) decides whether a contact is blocked. A day's `blocks` is the number of
 * contacts that entered that state less the number that left it. Both follow from the set of the contact's events alone.
 */
import { blockStateAfter, type Event } from '../platforms/event.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Tally } from './counters.ts';

/** An event that decides whether its contact is blocked. */
export type BlockEvent = { key: string; at: number; isBlock: boolean };

/** The events that decide a block state. */
export function blockEvents(events: readonly Event[]): BlockEvent[] {
  return events.flatMap(({ platform, key, kind, happenedAt }) => {
    const isBlock = blockStateAfter(platform, kind);
    return isBlock === null ? [] : [{ key, at: happenedAt, isBlock }];
  });
}

/** Replaces the tally of a contact's earlier block events by the tally of all. Returns the block state. */
export function foldBlocks(
  tally: Tally,
  platform: PlatformName,
  before: readonly BlockEvent[],
  after: readonly BlockEvent[],
): boolean {
  tallyTransitions(tally, platform, before, -1);
  return tallyTransitions(tally, platform, after, 1);
}

/** The event that ended the contact's last block; null: there was no block, or it lasts. */
export function endOfLastBlock(events: readonly BlockEvent[]): BlockEvent | null {
  const sorted = [...events].sort(byTimeThenKey);
  const last = sorted.findLastIndex(({ isBlock }) => isBlock);
  return last < 0 ? null : (sorted[last + 1] ?? null);
}

function tallyTransitions(
  tally: Tally,
  platform: PlatformName,
  events: readonly BlockEvent[],
  sign: 1 | -1,
): boolean {
  let isBlocked = false;
  for (const { at, isBlock } of [...events].sort(byTimeThenKey)) {
    if (isBlock !== isBlocked) tally.add(platform, at, { blocks: isBlock ? 1 : -1 }, sign);
    isBlocked = isBlock;
  }
  return isBlocked;
}

function byTimeThenKey(a: BlockEvent, b: BlockEvent): number {
  return a.at - b.at || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}
