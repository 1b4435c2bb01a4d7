/**
 * Figures that are quotients of kept ones, rounded once, at the end (figures.md, sections 5 and 6).
 */
import { secondMs } from '../time.ts';
import type { PlatformFigures } from './totals.ts';

const rateUnits = 10_000;

/** Tagged contacts of followers, 0 to 1 with 4 decimals. One of 3 is 0.3333. */
export function tagCoverRate({
  taggedContacts,
  followers,
}: Pick<PlatformFigures, 'taggedContacts' | 'followers'>): number {
  return Math.min(1, quotient(taggedContacts * rateUnits, followers) / rateUnits);
}

/** Messages of a conversation on average, whole. */
export function averageMessages({
  conversationMessages,
  conversations,
}: Pick<PlatformFigures, 'conversations' | 'conversationMessages'>): number {
  return quotient(conversationMessages, conversations);
}

/** Seconds from first to last message of a conversation on average, whole. */
export function averageSeconds({
  conversationMs,
  conversations,
}: Pick<PlatformFigures, 'conversations' | 'conversationMs'>): number {
  return quotient(conversationMs, conversations * secondMs);
}

/** What a figure has become of what it was, 1 for as much again, with 4 decimals; null where nothing was there before. */
export function growthRate(now: number, before: number): number | null {
  return before === 0 ? null : Math.round(((now - before) / Math.abs(before)) * rateUnits) / rateUnits;
}

/** Rounded half up to a whole number; 0 where nothing is to be divided by. 3 by 2 is 2. */
function quotient(dividend: number, divisor: number): number {
  if (divisor <= 0) return 0;
  // The sums of a large bot's milliseconds, doubled, may lie beyond what a number holds exactly.
  return Number((2n * BigInt(dividend) + BigInt(divisor)) / (2n * BigInt(divisor)));
}
