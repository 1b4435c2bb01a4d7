/** Cached channels, so that a delivery costs no query for its channel's secrets. A change of a channel is seen within 2 s. */
import type { Channel } from '../bots/channels.ts';
import { cachedReads } from '../database/cached-reads.ts';
import type { WebhookPlatformName } from '../platforms/platform.ts';

type Read<Outcome> = (botId: string, platform: WebhookPlatformName) => Promise<Outcome>;

/** Caches `read`. `unavailable`: it failed. */
export function cachedChannels(read: Read<Channel | null>): Read<Channel | null | 'unavailable'> {
  const find = cachedReads(read);
  return (botId, platform) => find(botId, platform).catch(() => 'unavailable' as const);
}
