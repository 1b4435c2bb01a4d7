/**
 * Reads that share their work: batches of keys, and values that stay in memory for a while.
 */

import { Batcher, type BatcherOptions } from '../batcher.ts';
import { boundedCache } from '../bounded-cache.ts';

/**
 * Wraps a read that returns the values of its keys, in their order; an Error rejects its key. While reads are running, further keys
 * wait and share the next read, so each value is read after its call arrived. At most `runsMax` reads run at once, each of at most
 * `countMax` keys, and further ones while a read is `slow`. A failed read fails for its own keys only.
 */
export function batchLoaded<Key, Value>(
  read: (keys: readonly Key[]) => Promise<readonly (Value | Error)[]>,
  { countMax, ...options }: Pick<BatcherOptions<Key>, 'runsMax' | 'slow'> & { countMax: number },
): (key: Key) => Promise<Value> {
  const reads = new Batcher<Key, Value>(read, { ...options, batchCountMax: countMax, gathers: false });
  return (key) => reads.put(key);
}

const memoizedMax = 10_000;

export type Memoized<Key, Value> = {
  (key: Key): Promise<Value>;
  /** The cached value, without a promise. */
  cached(key: Key): NonNullable<Value> | undefined;
};

/**
 * Caches each value for `msOf` it, which may be infinite. Null and failed reads are not cached. `nameOf` is the identity of a key. A
 * full cache drops the least recently used values.
 */
export function memoized<Key, Value extends object | null>(
  read: (key: Key) => Promise<Value>,
  { nameOf, msOf }: { nameOf: (key: Key) => string; msOf: (value: NonNullable<Value>) => number },
): Memoized<Key, Value> {
  const cache = boundedCache<string, NonNullable<Value>>(memoizedMax, { ttlResolution: 0 });
  const find = async (key: Key): Promise<Value> => {
    const name = nameOf(key);
    const cached = cache.get(name);
    if (cached !== undefined) return cached;
    const value = await read(key);
    const ms = value === null ? 0 : msOf(value);
    if (value !== null && ms > 0) cache.set(name, value, { ttl: Number.isFinite(ms) ? ms : 0 });
    return value;
  };
  return Object.assign(find, { cached: (key: Key) => cache.get(nameOf(key)) });
}
