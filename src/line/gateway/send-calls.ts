/**
 * LINE's calls that send messages, as pure data. All are `POST`.
 *
 * Source: LINE Messaging API reference; LINE notification messages API reference (pushes to telephone numbers, by template or with
 * free messages).
 */
import type { SendKind } from '../daily-figures.ts';

/** The kind of send by path. */
export const sendPaths: ReadonlyMap<string, SendKind> = new Map([
  ['/v2/bot/message/push', 'push'],
  ['/v2/bot/message/multicast', 'multicast'],
  ['/v2/bot/message/broadcast', 'broadcast'],
  ['/v2/bot/message/narrowcast', 'narrowcast'],
  ['/v2/bot/message/reply', 'reply'],
  ['/bot/pnp/push', 'pnp'],
  ['/v2/bot/message/pnp/templated/push', 'pnp'],
]);

/** The kinds of sends that LINE repeats only once for one `X-Line-Retry-Key`. */
export function takesRetryKey(kind: SendKind): boolean {
  return kind !== 'reply' && kind !== 'pnp';
}
