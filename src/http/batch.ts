/**
 * One read for many keys. While a read is running, those who come wait, and the next read takes all of them at once. So each
 * caller's answer was read after its call came in, and the more call at once, the less each of them costs.
 */
import { LRUCache } from 'lru-cache';

type Waiting<Key, Value> = { key: Key; resolve(value: Value): void; reject(error: unknown): void };

/**
 * Wraps a read that gives the values of its keys, in their order. At most `runsMax` reads at a time, each of at most `countMax`
 * keys. A failed read fails for those whose keys it was given, and for nobody else.
 */
export function batched<Key, Value>(
  read: (keys: readonly Key[]) => Promise<readonly Value[]>,
  { runsMax, countMax }: { runsMax: number; countMax: number },
): (key: Key) => Promise<Value> {
  const waiting: Waiting<Key, Value>[] = [];
  let runs = 0;
  const run = async (): Promise<void> => {
    runs += 1;
    while (waiting.length > 0) await answer(read, waiting.splice(0, countMax));
    runs -= 1;
  };
  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (runs < runsMax) void run();
    });
}

async function answer<Key, Value>(
  read: (keys: readonly Key[]) => Promise<readonly Value[]>,
  callers: readonly Waiting<Key, Value>[],
): Promise<void> {
  try {
    const values = await read(callers.map(({ key }) => key));
    for (const [place, { resolve, reject }] of callers.entries()) {
      const value = values[place];
      if (value === undefined) reject(new Error(`a read of ${callers.length} keys gave ${values.length}`));
      else resolve(value);
    }
  } catch (error) {
    for (const { reject } of callers) reject(error);
  }
}

const rememberedMax = 10_000;

/**
 * Keeps what was read for a key `msOf` it, infinitely long at most, for those who ask for the same; that there is nothing, and a
 * read that failed, is not kept. `nameOf` tells keys apart. The least lately used go when there are too many.
 */
export function remembered<Key, Value extends object | null>(
  read: (key: Key) => Promise<Value>,
  { nameOf, msOf }: { nameOf: (key: Key) => string; msOf: (value: NonNullable<Value>) => number },
): (key: Key) => Promise<Value> {
  const kept = new LRUCache<string, NonNullable<Value>>({ max: rememberedMax, ttlResolution: 0 });
  return async (key) => {
    const name = nameOf(key);
    const known = kept.get(name);
    if (known !== undefined) return known;
    const value = await read(key);
    const ms = value === null ? 0 : msOf(value);
    if (value !== null && ms > 0) kept.set(name, value, { ttl: Number.isFinite(ms) ? ms : 0 });
    return value;
  };
}
