/**
 * Collects the problems of an imported file, so that one run reports all: the first 20 by position, and the number of others.
 */
import { Refusal, type RefusalCode } from './errors.ts';

const shownMax = 20;
/** Line 9 before line 10. */
const byNumber = new Intl.Collator('en', { numeric: true });

export class Problems {
  readonly #shown: { place: string; message: string }[] = [];
  #code: RefusalCode | undefined;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Adds the problem at a place (`line 12`). */
  add(place: string, { code, message }: Refusal): void {
    this.#code ??= code;
    this.#count += 1;
    const last = this.#shown.at(shownMax - 1);
    if (last && byNumber.compare(last.place, place) <= 0) return;
    this.#shown.push({ place, message });
    this.#shown.sort((a, b) => byNumber.compare(a.place, b.place));
    this.#shown.length = Math.min(this.#shown.length, shownMax);
  }

  /** Runs a step of the import. If it throws a refusal, adds it and returns `undefined`. */
  try<T>(place: string, step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.add(place, error);
      return undefined;
    }
  }

  /** Throws a Refusal with the code of the first problem and the listed problems, if there are any. */
  throwIfAny(): void {
    if (this.#code === undefined) return;
    const more = this.#count - this.#shown.length;
    const lines = this.#shown.map(({ place, message }) => `${place}: ${message}`);
    if (more > 0) lines.push(`and ${more} more`);
    throw new Refusal(this.#code, ['Nothing was imported.', ...lines].join('\n  '));
  }
}
