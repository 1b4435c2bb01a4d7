/**
 * The limits of messages on each platform, also for the dashboard. Sources: the message references of LINE, Messenger, Instagram and
 * WhatsApp; docs/live-chat.md.
 */
import type { PlatformName } from '../platforms/platform.ts';

export const messageLimits: Readonly<Record<PlatformName, { text: number; replies: number; reply: number }>> =
  {
    line: { text: 5_000, replies: 13, reply: 20 },
    facebook: { text: 2_000, replies: 13, reply: 20 },
    instagram: { text: 1_000, replies: 13, reply: 20 },
    whatsapp: { text: 4_096, replies: 3, reply: 20 },
    liveChat: { text: 2_000, replies: 10, reply: 40 },
  };

/** Of a WhatsApp message with buttons. */
export const buttonTextMax = 1_024;
