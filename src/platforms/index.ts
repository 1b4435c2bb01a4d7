/** The platforms that deliver webhooks, by the name that stands in the webhook's address. */
import { instagram } from './instagram.ts';
import { line } from './line.ts';
import { messenger } from './messenger.ts';
import type { Platform, WebhookPlatformName } from './platform.ts';
import { whatsapp } from './whatsapp.ts';

export const platforms: Readonly<Record<WebhookPlatformName, Platform>> = {
  line,
  facebook: messenger,
  instagram,
  whatsapp,
};
