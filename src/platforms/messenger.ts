/**
 * Facebook Messenger, `facebook` on the wire. A channel is a Page; a contact is a page-scoped id.
 *
 * The business's own messages arrive as echoes. No event reports that a person blocked the Page: `policy_enforcement` is Meta's
 * action against the Page itself.
 */
import { messagingPlatform, refusedSend } from './messaging.ts';
import type { Platform } from './reader.ts';

export const messenger: Platform = messagingPlatform('facebook', ['page']);

/** Messenger's code for an unreachable person (Send API, error codes); figures.md counts it as a block. */
export const blockedCode = 551;

/** The body of a delivery that says that Messenger refused sends of the page to people (`at` in ms) with the code of a block. */
export function writeRefusedSends(pageId: string, people: readonly string[], at: number): Uint8Array {
  const messaging = people.map((id) => ({
    ...{ sender: { id: pageId }, recipient: { id }, timestamp: at },
    [refusedSend]: { code: blockedCode },
  }));
  return Buffer.from(JSON.stringify({ object: 'page', entry: [{ id: pageId, messaging }] }));
}
