/** Reads whose results stay in memory for two seconds, so that a call costs no query for what rarely changes. */
import { boundedCache } from '../bounded-cache.ts';
import { withinTime } from './within-time.ts';

const cachedMs = 2_000;
const cachedMax = 10_000;

/** Caches `read`. Concurrent callers share one read. A failed or slow read fails for them, and the next call tries again. */
export function cachedReads<Key extends unknown[], Value>(
  read: (...key: Key) => Promise<Value>,
): (...key: Key) => Promise<Value> {
  const cache = boundedCache<string, Promise<Value>>(cachedMax, { ttl: cachedMs, ttlResolution: 0 });
  return (...key) => {
    const name = key.join(' ');
    const cached = cache.get(name);
    if (cached) return cached;
    const value = withinTime(read(...key));
    cache.set(name, value);
    value.catch(() => cache.delete(name));
    return value;
  };
}
