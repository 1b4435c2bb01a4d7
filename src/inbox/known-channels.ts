/**
 * Channels kept in memory for the webhook path, so that a delivery costs no query for its secrets. A change of a channel is
 * seen within `freshMs`.
 */
import { LRUCache } from 'lru-cache';
import type { Channel } from '../bots/channels.ts';
import { withinTime } from '../database/within-time.ts';
import type { WebhookPlatformName } from '../platforms/platform.ts';

type Read<Outcome> = (botId: string, platform: WebhookPlatformName) => Promise<Outcome>;

const freshMs = 2_000;
const keptMax = 10_000;

/**
 * Wraps the reading of a channel. `unavailable`: it could not be read; the next call tries again. Concurrent readers of one
 * channel share a read.
 */
export function knownChannels(
  read: Read<Channel | null>,
  monotonicMs: () => number = () => performance.now(),
): Read<Channel | null | 'unavailable'> {
  const known = new LRUCache<string, { channel: Promise<Channel | null | 'unavailable'>; readAt: number }>({
    max: keptMax,
  });
  return (botId, platform) => {
    const key = `${platform} ${botId}`;
    const cached = known.get(key);
    if (cached && monotonicMs() - cached.readAt < freshMs) return cached.channel;
    const channel = withinTime(read(botId, platform)).catch(() => {
      known.delete(key);
      return 'unavailable' as const;
    });
    known.set(key, { channel, readAt: monotonicMs() });
    return channel;
  };
}
