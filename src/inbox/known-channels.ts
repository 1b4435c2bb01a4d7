/**
 * Channels kept in memory for the webhook path, so that a delivery costs no query for its secrets. A change of a channel is
 * seen within `freshMs`.
 */
import { LRUCache } from 'lru-cache';
import type { Channel } from '../bots/channels.ts';
import { withinTime } from '../database/within-time.ts';
import type { WebhookPlatformName } from '../platforms/platform.ts';
import { ChannelsUnavailable } from './receive.ts';

type Read = (botId: string, platform: WebhookPlatformName) => Promise<Channel | null>;

const freshMs = 2_000;
const keptMax = 10_000;

/** Wraps the reading of a channel. Throws ChannelsUnavailable when it fails; concurrent readers of one channel share a read. */
export function knownChannels(read: Read, monotonicMs: () => number = () => performance.now()): Read {
  const known = new LRUCache<string, { channel: Promise<Channel | null>; readAt: number }>({ max: keptMax });
  return async (botId, platform) => {
    const key = `${platform} ${botId}`;
    const cached = known.get(key);
    if (cached && monotonicMs() - cached.readAt < freshMs) return cached.channel;
    // Wrapped here, not around the wait, so that all who share the read learn the same.
    const channel = withinTime(read(botId, platform)).catch((cause) => {
      known.delete(key);
      throw new ChannelsUnavailable('the channel could not be read', { cause });
    });
    known.set(key, { channel, readAt: monotonicMs() });
    return channel;
  };
}
