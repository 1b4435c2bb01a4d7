/**
 * The gateway's part of a fold: records of sends and clicks become kept sends, outbound messages of their days, and messages
 * of conversations.
 *
 * A push to one person and a reply are messages of that person's conversations, so they go on as events, known by the send's
 * request id. A reply becomes one when both it and the webhook event that it answers are here, whichever came first.
 */
import type { Transaction } from '../database/client.ts';
import type { IncomingEvent } from '../events/store.ts';
import { countClicks, keepClicks } from '../line/clicks.ts';
import { tallySends } from '../line/outbound.ts';
import { addressedReplies, keepReplyTokens } from '../line/reply-tokens.ts';
import { recordSends } from '../line/sends.ts';
import type { Tally } from '../rollups/counters.ts';
import type { ParsedBundle } from './batch.ts';

/**
 * Keeps what the records tell, in the caller's transaction and under its lock, and gives the messages among them as events.
 * Safe to repeat: events have keys, and what is kept here is known by request id, token or click.
 */
export async function foldSends(
  tx: Transaction,
  botId: string,
  tally: Tally,
  bundles: readonly Pick<ParsedBundle, 'sends' | 'clicks' | 'tokens'>[],
  now: number,
): Promise<IncomingEvent[]> {
  const sends = bundles.flatMap((bundle) => bundle.sends);
  const clicks = bundles.flatMap((bundle) => bundle.clicks);
  const tokens = bundles.flatMap((bundle) => bundle.tokens);
  if (sends.length + clicks.length + tokens.length === 0) return [];
  const [changes] = await Promise.all([
    recordSends(tx, botId, sends),
    keepReplyTokens(tx, botId, tokens, now),
    keepClicks(tx, botId, clicks),
  ]);
  const hashes = [
    ...tokens.map(({ tokenHash }) => tokenHash),
    ...sends.flatMap(({ replyTokenHash }) => replyTokenHash ?? []),
  ];
  const [addressed] = await Promise.all([
    addressedReplies(tx, botId, [...new Set(hashes)]),
    tallySends(tx, botId, tally, changes),
    clicks.length > 0 || sends.some(({ linkSet }) => linkSet !== null) ? countClicks(tx, botId) : undefined,
  ]);
  const pushes = sends.flatMap(({ person, ...send }) => (person === null ? [] : [{ ...send, person }]));
  return [
    ...pushes.map((push) => toEvent(push, 'push')),
    ...addressed.map((reply) => toEvent(reply, 'reply')),
  ];
}

function toEvent(
  { requestId, person, sentAt }: { requestId: string; person: string; sentAt: number },
  detail: 'push' | 'reply',
): IncomingEvent {
  return {
    platform: 'line',
    key: `send:${requestId}`,
    kind: 'message-out',
    detail,
    contact: person,
    contactAlias: null,
    happenedAt: sentAt,
    receivedAt: sentAt,
    deliveryId: null,
  };
}
