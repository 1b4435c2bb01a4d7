/**
 * Seeded chance: the same seed gives the same world, on every machine. The generator is mulberry32: 32 bits of state, a
 * period of 2^32 draws, good enough for people who do not exist. Not for secrets.
 */
import { createHash } from 'node:crypto';

/** 64 hex digits that stand for one matter of a seeded world. */
export function hexOf(seed: number, ...matter: readonly (string | number)[]): string {
  return createHash('sha256')
    .update([seed, ...matter].join(' '))
    .digest('hex');
}

/** Chance of one matter alone: what is drawn elsewhere, and in which order, changes nothing here. */
export function chanceOf(seed: number, ...matter: readonly (string | number)[]): Chance {
  return new Chance(Number.parseInt(hexOf(seed, ...matter).slice(0, 8), 16));
}

export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  happens(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.whole(0, choices.length - 1)] ?? choices[0];
  }

  /** One of the names, each as likely as its weight. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[];
    let left = this.next() * names.reduce((sum, name) => sum + weights[name], 0);
    for (const name of names) {
      left -= weights[name];
      if (left < 0) return name;
    }
    return names[names.length - 1]!;
  }

  /** So many characters of the alphabet. */
  text(alphabet: string, length: number): string {
    let text = '';
    for (let place = 0; place < length; place += 1) text += alphabet[this.whole(0, alphabet.length - 1)];
    return text;
  }
}
