/** The platforms by name: `platforms` deliver webhooks, `readers` are all whose deliveries are read. */
import { instagram } from './instagram.ts';
import { line } from './line.ts';
import { liveChat } from './live-chat.ts';
import { messenger } from './messenger.ts';
import type { PlatformName, WebhookPlatformName } from './platform.ts';
import type { Platform, Reader } from './reader.ts';
import { whatsapp } from './whatsapp.ts';

export const platforms: Readonly<Record<WebhookPlatformName, Platform>> = {
  line,
  facebook: messenger,
  instagram,
  whatsapp,
};

export const readers: Readonly<Record<PlatformName, Reader>> = { ...platforms, liveChat };
