/**
 * Instagram messaging. A channel is a professional account; a contact is an Instagram-scoped id.
 *
 * Echoes come like other messages, a deletion as the message once more with `is_deleted`, a read names a message instead of
 * a watermark; there is no delivery event. Comments and mentions come as `changes` and are no messages. An app with Facebook
 * Login may be told `object: "page"`, so the entry's id decides whose it is.
 */
import { messagingPlatform } from './messaging.ts';
import type { Platform } from './reader.ts';

export const instagram: Platform = messagingPlatform('instagram', ['instagram', 'page']);
