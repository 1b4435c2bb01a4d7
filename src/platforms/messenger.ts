/**
 * Facebook Messenger, `facebook` on the wire. A channel is a Page; a contact is a page-scoped id.
 *
 * The business's own messages arrive as echoes. No event reports that a person blocked the Page: `policy_enforcement` is Meta's
 * action against the Page itself.
 */
import { messagingPlatform } from './messaging.ts';
import type { Platform } from './reader.ts';

export const messenger: Platform = messagingPlatform('facebook', ['page']);
