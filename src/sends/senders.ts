/**
 * The senders of all platforms, with their connections.
 */
import type { LineAccess } from '../line/access.ts';
import type { Posting } from '../live-chat/posting.ts';
import type { Clock } from '../time.ts';
import { lineSender } from './line-sender.ts';
import { liveChatSender } from './live-chat-sender.ts';
import { instagramSender, messengerSender, whatsAppSender } from './meta-senders.ts';
import { PlatformHost } from './platform-host.ts';
import type { Senders } from './sender.ts';

export type OpenSenders = { senders: Senders; close(): Promise<void> };

/** Opens the senders. Throws Refusal INPUT_INVALID for an address with a path. */
export function openSenders({
  lineApi,
  graphApi,
  instagramApi,
  access,
  posting,
  clock,
}: {
  lineApi: string;
  graphApi: string;
  instagramApi: string;
  /** Tokens for calls to LINE. */
  access: LineAccess;
  posting: Posting;
  clock: Clock;
}): OpenSenders {
  const line = new PlatformHost('LINE', lineApi);
  const meta = {
    facebook: new PlatformHost('Meta', graphApi),
    instagram: new PlatformHost('Instagram', instagramApi),
  };
  return {
    senders: {
      line: lineSender(line, access),
      facebook: messengerSender(meta),
      instagram: instagramSender(meta),
      whatsapp: whatsAppSender(meta, clock),
      liveChat: liveChatSender(posting),
    },
    async close() {
      await Promise.all([line.close(), meta.facebook.close(), meta.instagram.close()]);
    },
  };
}
