/** Follows and blocks per person: the figures that webhook events alone can prove. */
import { byTimeAndId, personKey, type SimulatedEvent } from './event.ts';

/** The follows and blocks of each person, in order. */
export function followHistories(events: readonly SimulatedEvent[]): SimulatedEvent[][] {
  const follows = events.filter(({ kind, person }) => person && (kind === 'follow' || kind === 'unfollow'));
  return [...Map.groupBy(follows.sort(byTimeAndId), ({ person }) => personKey(person!)).values()];
}

/** True when the latest of the follows and blocks is a block. */
export function endsBlocked(history: readonly SimulatedEvent[]): boolean {
  return history.at(-1)?.kind === 'unfollow';
}

/** Followers and blocks by the events: a person who blocks must have been a friend. */
export function audienceOf(events: readonly SimulatedEvent[]): { followers: number; blocks: number } {
  const histories = followHistories(events);
  return { followers: histories.length, blocks: histories.filter(endsBlocked).length };
}

/** True for a message that a person wrote, in any chat. */
export function isInboundMessage({ kind }: SimulatedEvent): boolean {
  return kind === 'message' || kind === 'group-message';
}
