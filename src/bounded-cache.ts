/** Caches with a bound. */
import { LRUCache } from 'lru-cache';

export type BoundedCache<Key extends {}, Value extends {}> = LRUCache<Key, Value>;

/**
 * A cache of at most `max` entries, which drops the least recently used one. It takes memory for its entries only: with the library's
 * option `max`, each empty cache of 10,000 entries takes 240 KB.
 */
export function boundedCache<Key extends {}, Value extends {}>(
  max: number,
  times: Pick<LRUCache.OptionsBase<Key, Value, unknown>, 'ttl' | 'ttlResolution'> = {},
): BoundedCache<Key, Value> {
  return new LRUCache<Key, Value>({ maxSize: max, sizeCalculation: () => 1, ...times });
}
