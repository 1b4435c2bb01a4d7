/**
 * The gateway's part of a fold: records of sends and clicks become kept sends, outbound messages of their days, and messages
 * of conversations.
 *
 * A push to one person and a reply are messages of that person's conversations, so they go on as events, known by the send's
 * request id. A reply becomes one when both it and the webhook event that it answers are here, whichever came first.
 */
import type { Transaction } from '../database/database.ts';
import { Refusal } from '../errors.ts';
import type { IncomingEvent } from '../events/store.ts';
import type { Delivery } from '../inbox/inbox.ts';
import { readReplyTokens } from '../platforms/line.ts';
import { type ClickRecord, readRecord, type SendRecord } from './gateway-records.ts';
import { countClicks, keepClicks } from './line-clicks.ts';
import { tallySends } from './line-outbound.ts';
import { recordSends } from './line-sends.ts';
import { addressedReplies, hashReplyToken, keepReplyTokens, type ReplyToken } from './reply-tokens.ts';
import type { Tally } from './tally.ts';

type FoldedBot = {
  botId: string;
  accounts: ReadonlyMap<string, string | null>;
  /** Replies may come through the gateway; where they cannot, no webhook is read for its tokens. */
  replies: boolean;
};
type Refused = { deliveryId: number; reason: string };

/**
 * Keeps what the batch's gateway records tell, in the caller's transaction and under its lock, and gives the messages among
 * them as events. Safe to repeat: events have keys, and what is kept here is known by request id, token or click.
 */
export async function foldSends(
  tx: Transaction,
  { botId, accounts, replies }: FoldedBot,
  tally: Tally,
  { deliveries, now }: { deliveries: readonly Delivery[]; now: number },
): Promise<{ incoming: IncomingEvent[]; refused: Refused[] }> {
  const { sends, clicks, refused } = readRecords(deliveries);
  const tokens = replies ? readTokens(deliveries, accounts.get('line') ?? null) : [];
  if (sends.length + clicks.length + tokens.length === 0) return { incoming: [], refused };
  const [changes] = await Promise.all([
    recordSends(tx, botId, sends),
    keepReplyTokens(tx, botId, tokens, now),
    keepClicks(tx, botId, clicks),
  ]);
  const hashes = [...tokens, ...sends].flatMap((each) =>
    'tokenHash' in each ? each.tokenHash : (each.replyTokenHash ?? []),
  );
  const [addressed] = await Promise.all([
    addressedReplies(tx, botId, [...new Set(hashes)]),
    tallySends(tx, botId, tally, changes),
    clicks.length > 0 || sends.some(({ linkSet }) => linkSet !== null) ? countClicks(tx, botId) : undefined,
  ]);
  const pushes = sends.flatMap(({ person, ...send }) => (person === null ? [] : [{ ...send, person }]));
  const incoming = [
    ...pushes.map((push) => toEvent(push, 'push')),
    ...addressed.map((reply) => toEvent(reply, 'reply')),
  ];
  return { incoming, refused };
}

function readRecords(deliveries: readonly Delivery[]): {
  sends: SendRecord[];
  clicks: ClickRecord[];
  refused: Refused[];
} {
  const [sends, clicks, refused]: [SendRecord[], ClickRecord[], Refused[]] = [[], [], []];
  for (const { deliveryId, source, body } of deliveries) {
    if (source !== 'line-send') continue;
    try {
      const record = readRecord(body);
      if (record.kind === 'click') clicks.push(record);
      else sends.push(record);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.push({ deliveryId, reason: error.message });
    }
  }
  return { sends, clicks, refused };
}

function readTokens(deliveries: readonly Delivery[], accountId: string | null): ReplyToken[] {
  return deliveries
    .filter(({ source, platform }) => source === 'webhook' && platform === 'line')
    .flatMap(({ body }) => readReplyTokens(body, accountId))
    .map(({ replyToken, person }) => ({ tokenHash: hashReplyToken(replyToken), person }));
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
  };
}
