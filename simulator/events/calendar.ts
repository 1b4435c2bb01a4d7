/**
 * When customers write: in opening hours, more often on weekdays, and sometimes exactly at midnight, where days change.
 * Times are ms. The shop is in Taipei (UTC+8, no daylight saving time).
 */
import { dayMs, hourMs, minuteMs, secondMs } from '../../src/time.ts';
import type { SeededRandom } from './random.ts';

const shopOffsetMs = 8 * hourMs;
const lineOffsetMs = 9 * hourMs;
const openingHour = 10;
const closingHour = 21;
const midnightShare = 0.04;
const attemptsMax = 50;

export class Calendar {
  readonly from: number;
  readonly until: number;
  readonly #random: SeededRandom;

  constructor(random: SeededRandom, from: number, until: number) {
    this.#random = random;
    this.from = from;
    this.until = until;
  }

  /** True for an instant within the calendar. */
  includes({ at }: { at: number }): boolean {
    return at >= this.from && at <= this.until;
  }

  /** A random instant at or after `earliest`; `until` when no attempt finds one. */
  instant(earliest = this.from): number {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const at = this.#random.chance(midnightShare) ? this.#nearMidnight() : this.#inOpeningHours();
      if (at >= earliest && at <= this.until && !this.#isQuiet(at)) return at;
    }
    return this.until;
  }

  #inOpeningHours(): number {
    return this.#dayStart(shopOffsetMs) + this.#random.integer(openingHour * hourMs, closingHour * hourMs);
  }

  #isQuiet(at: number): boolean {
    const weekday = new Date(at + shopOffsetMs).getUTCDay();
    return this.#random.chance(weekday === 0 ? 0.6 : weekday === 6 ? 0.3 : 0);
  }

  // The last and first instants of a day, in the shop's zone and in LINE's. Minutes before, so that a conversation crosses it.
  #nearMidnight(): number {
    const midnight = this.#dayStart(this.#random.pick([shopOffsetMs, lineOffsetMs]));
    return midnight + this.#random.pick([-secondMs, -1, 0, secondMs, -5 * minuteMs]);
  }

  #dayStart(offsetMs: number): number {
    const at = this.from + this.#random.next() * (this.until - this.from);
    return Math.floor((at + offsetMs) / dayMs) * dayMs - offsetMs;
  }
}

export type Turn = { at: number; by: 'person' | 'business' };

/**
 * The messages of a conversation from `start` on, the person's first. `tickMs` is the platform's resolution of time. Some gaps
 * are exactly 15 minutes, some one tick longer: the limit of a conversation.
 */
export function conversationFrom(
  start: number,
  random: SeededRandom,
  tickMs: number,
  answerShare: number,
): Turn[] {
  const turns: Turn[] = [{ at: start, by: 'person' }];
  const length = random.weighted({ short: 5, long: 3, single: 2 });
  const count = length === 'single' ? 1 : random.integer(2, length === 'short' ? 5 : 14);
  let at = start;
  while (turns.length < count) {
    at += gap(random, tickMs);
    turns.push({ at, by: random.chance(answerShare) ? 'business' : 'person' });
  }
  return turns;
}

function gap(random: SeededRandom, tickMs: number): number {
  const kind = random.weighted({ seconds: 66, minutes: 22, limit: 4, pastLimit: 4, pause: 2, none: 2 });
  const inTicks = (ms: number) => Math.round(ms / tickMs) * tickMs;
  if (kind === 'seconds') return inTicks(random.integer(2 * secondMs, 90 * secondMs));
  if (kind === 'minutes') return inTicks(random.integer(2 * minuteMs, 12 * minuteMs));
  if (kind === 'pause') return inTicks(random.integer(20 * minuteMs, 90 * minuteMs));
  if (kind === 'none') return 0;
  return 15 * minuteMs + (kind === 'limit' ? 0 : tickMs);
}
