/**
 * Instagram messaging. A channel is a professional account; a contact is an Instagram-scoped id.
 *
 * Echoes arrive like other messages, and a deletion repeats the message with `is_deleted`. A read names a message instead of a
 * watermark, and there is no delivery event. Comments and mentions arrive as `changes` and are no messages. An app with Facebook Login
 * may receive `object: "page"`, so the entry's id decides the account.
 */
import { messagingPlatform } from './messaging.ts';
import type { Platform } from './reader.ts';

export const instagram: Platform = messagingPlatform('instagram', ['instagram', 'page']);
