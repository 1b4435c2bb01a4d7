/**
 * Figures that are quotients of stored counters, rounded once, at the end (figures.md, sections 5 and 6).
 */
import { secondMs } from '../time.ts';
import type { PlatformFigures } from './totals.ts';

/** The sums behind the averages. */
export type ConversationSums = Pick<
  PlatformFigures,
  'conversations' | 'conversationMessages' | 'conversationMs'
>;

const rateUnits = 10_000;

/** Tagged contacts divided by followers, 0 to 1 with 4 decimals. 1 of 3 is 0.3333. */
export function tagCoverRate({
  taggedContacts,
  followers,
}: Pick<PlatformFigures, 'taggedContacts' | 'followers'>): number {
  return Math.min(1, quotient(taggedContacts * rateUnits, followers) / rateUnits);
}

/** The average number of messages of a conversation, rounded to a whole number. */
export function averageMessages({ conversationMessages, conversations }: ConversationSums): number {
  return quotient(conversationMessages, conversations);
}

/** The average seconds from first to last message of a conversation, rounded to a whole number. */
export function averageSeconds({ conversationMs, conversations }: ConversationSums): number {
  return quotient(conversationMs, conversations * secondMs);
}

/** The relative change of a figure with 4 decimals: 100 to 150 is 0.5. Null if it was 0 before. */
export function growthRate(now: number, before: number): number | null {
  return before === 0 ? null : Math.round(((now - before) / Math.abs(before)) * rateUnits) / rateUnits;
}

/** Rounded half up to a whole number: 3 / 2 is 2. 0 if the divisor is 0 or less. */
function quotient(dividend: number, divisor: number): number {
  if (divisor <= 0) return 0;
  // Twice the milliseconds of a large bot can exceed the largest exact number.
  return Number((2n * BigInt(dividend) + BigInt(divisor)) / (2n * BigInt(divisor)));
}
