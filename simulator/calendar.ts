/**
 * When a shop's customers write: in opening hours, more on weekdays, and now and then exactly at midnight, where days
 * are cut. Times are ms; the shop stands in Taipei (UTC+8 the whole year).
 */
import { dayMs, hourMs, minuteMs, secondMs } from '../src/time.ts';
import type { Chance } from './chance.ts';

const shopOffsetMs = 8 * hourMs;
const lineOffsetMs = 9 * hourMs;
const opensHour = 10;
const closesHour = 21;
const edgeShare = 0.04;
const triesMax = 50;

export class Calendar {
  readonly from: number;
  readonly until: number;
  readonly #chance: Chance;

  constructor(chance: Chance, from: number, until: number) {
    this.#chance = chance;
    this.from = from;
    this.until = until;
  }

  /** An instant at or after `earliest` at which a customer gets in touch; `until` when none is left. */
  instant(earliest = this.from): number {
    for (let attempt = 0; attempt < triesMax; attempt += 1) {
      const at = this.#chance.happens(edgeShare) ? this.#edge() : this.#openingHour();
      if (at >= earliest && at <= this.until && !this.#isQuiet(at)) return at;
    }
    return this.until;
  }

  #openingHour(): number {
    return this.#dayStart(shopOffsetMs) + this.#chance.whole(opensHour * hourMs, closesHour * hourMs);
  }

  #isQuiet(at: number): boolean {
    const weekday = new Date(at + shopOffsetMs).getUTCDay();
    return this.#chance.happens(weekday === 0 ? 0.6 : weekday === 6 ? 0.3 : 0);
  }

  // The last and the first instants of a day, in the shop's zone and in LINE's; some minutes before, so that talk crosses it.
  #edge(): number {
    const midnight = this.#dayStart(this.#chance.pick([shopOffsetMs, lineOffsetMs]));
    return midnight + this.#chance.pick([-secondMs, -1, 0, secondMs, -5 * minuteMs]);
  }

  #dayStart(offsetMs: number): number {
    const at = this.from + this.#chance.next() * (this.until - this.from);
    return Math.floor((at + offsetMs) / dayMs) * dayMs - offsetMs;
  }
}

/** A talk: who writes when, from `start` on. Pauses of exactly 15 minutes, and one tick more, are among its gaps. */
export type Turn = { at: number; by: 'person' | 'business' };

/** One burst of messages, the person's first. `tickMs` is the platform's smallest step of time. */
export function talkFrom(start: number, chance: Chance, tickMs: number, answerShare: number): Turn[] {
  const turns: Turn[] = [{ at: start, by: 'person' }];
  const length = chance.weighted({ short: 5, long: 3, single: 2 });
  const count = length === 'single' ? 1 : chance.whole(2, length === 'short' ? 5 : 14);
  let at = start;
  while (turns.length < count) {
    at += gap(chance, tickMs);
    turns.push({ at, by: chance.happens(answerShare) ? 'business' : 'person' });
  }
  return turns;
}

function gap(chance: Chance, tickMs: number): number {
  const kind = chance.weighted({ seconds: 66, minutes: 22, limit: 4, pastLimit: 4, pause: 2, none: 2 });
  const wholeTicks = (ms: number) => Math.round(ms / tickMs) * tickMs;
  if (kind === 'seconds') return wholeTicks(chance.whole(2 * secondMs, 90 * secondMs));
  if (kind === 'minutes') return wholeTicks(chance.whole(2 * minuteMs, 12 * minuteMs));
  if (kind === 'pause') return wholeTicks(chance.whole(20 * minuteMs, 90 * minuteMs));
  if (kind === 'none') return 0;
  return 15 * minuteMs + (kind === 'limit' ? 0 : tickMs);
}
