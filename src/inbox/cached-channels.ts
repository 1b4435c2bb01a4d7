/** Cached channels, so that a delivery costs no query for its channel's secrets. A change of a channel is seen within 2 s. */
import { LRUCache } from 'lru-cache';
import type { Channel } from '../bots/channels.ts';
import { withinTime } from '../database/within-time.ts';
import type { WebhookPlatformName } from '../platforms/platform.ts';

type Read<Outcome> = (botId: string, platform: WebhookPlatformName) => Promise<Outcome>;

const cacheMs = 2_000;
const channelsMax = 10_000;

/** Caches `read`. `unavailable`: it failed; the next call tries again. Concurrent callers share one read of a channel. */
export function cachedChannels(
  read: Read<Channel | null>,
  monotonicMs: () => number = () => performance.now(),
): Read<Channel | null | 'unavailable'> {
  type Entry = { channel: Promise<Channel | null | 'unavailable'>; readAt: number };
  const cache = new LRUCache<string, Entry>({ max: channelsMax });
  return (botId, platform) => {
    const key = `${platform} ${botId}`;
    const cached = cache.get(key);
    if (cached && monotonicMs() - cached.readAt < cacheMs) return cached.channel;
    const channel = withinTime(read(botId, platform)).catch(() => {
      cache.delete(key);
      return 'unavailable' as const;
    });
    cache.set(key, { channel, readAt: monotonicMs() });
    return channel;
  };
}
