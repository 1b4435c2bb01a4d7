/**
 * The lifetime of a test's resources: one test, or the whole test file.
 *
 * A server of the whole file starts once. Each test adds a bot of its own to it, so that tests stay independent.
 */
import { after } from 'node:test';
import { once } from '../../src/once.ts';

/** The owner of a resource. A test's context is one. */
export type Scope = { readonly name: string; after(end: () => unknown): void };

const ends: (() => unknown)[] = [];

after(async () => {
  for (const end of ends) await end();
});

/** Its resources are released after the last test, in the order of registration, as those of a test. */
const wholeFile: Scope = { name: 'the whole file', after: (end) => void ends.push(end) };

/** Returns a function that starts a resource of the whole file at its first call, and returns the same one at later calls. */
export function oncePerFile<Value>(start: (scope: Scope) => Promise<Value>): () => Promise<Value> {
  return once(() => start(wholeFile));
}
