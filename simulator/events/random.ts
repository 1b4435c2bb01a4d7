/**
 * Seeded random numbers: the same seed gives the same sequence on every machine. The generator is mulberry32, with 32 bits
 * of state and a period of 2^32 draws. Not for secrets.
 */
import { createHash } from 'node:crypto';

/** 64 hex digits that depend on the seed and the scope only. */
export function hexOf(seed: number, ...scope: readonly (string | number)[]): string {
  return createHash('sha256')
    .update([seed, ...scope].join(' '))
    .digest('hex');
}

/** A sequence of its own for the scope: draws of other scopes do not change it. */
export function randomOf(seed: number, ...scope: readonly (string | number)[]): SeededRandom {
  return new SeededRandom(Number.parseInt(hexOf(seed, ...scope).slice(0, 8), 16));
}

export class SeededRandom {
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
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.integer(0, choices.length - 1)] ?? choices[0];
  }

  /** One of the names, each as likely as its weight. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[];
    let rest = this.next() * names.reduce((sum, name) => sum + weights[name], 0);
    for (const name of names) {
      rest -= weights[name];
      if (rest < 0) return name;
    }
    return names[names.length - 1]!;
  }

  /** A text of `length` characters of the alphabet. */
  text(alphabet: string, length: number): string {
    return Array.from({ length }, () => alphabet[this.integer(0, alphabet.length - 1)]).join('');
  }
}
