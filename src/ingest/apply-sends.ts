/**
 * Applies the gateway's records of a batch: sends and clicks become stored sends, outbound messages of their days, and messages of
 * conversations.
 *
 * A push to one person and a reply are messages of that person's conversations, so they continue as events; their key holds the
 * send's request id. A reply becomes an event once both it and the webhook event that it answers have arrived, in either order.
 */
import type { Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import type { IncomingEvent } from '../events/store.ts';
import type { Delivery } from '../inbox/inbox.ts';
import { countClicks, keepClicks } from '../line/clicks.ts';
import { tallySends } from '../line/outbound.ts';
import { addressedReplies, keepReplyTokens, type ReplyToken } from '../line/reply-tokens.ts';
import { type ClickRecord, readRecord, type SendRecord } from '../line/send-records.ts';
import { recordSends } from '../line/sends.ts';
import type { Tally } from '../rollups/counters.ts';
import { type FoundChunk, splitDeleted } from './apply-events.ts';
import type { ParsedBundle, Refused } from './batch.ts';

/**
 * Stores the records, in the caller's transaction and under its lock, and returns the messages among them as events, and the records that cannot be read. Idempotent:
 * events have keys, and records are identified by request id, token or click.
 */
export async function applySends(
  tx: Transaction,
  botId: string,
  tally: Tally,
  bundles: readonly ParsedBundle[],
  chunks: readonly FoundChunk[],
  now: number,
): Promise<{ events: IncomingEvent[]; refused: Refused[] }> {
  const { sends, clicks, refused } = readRecords(bundles.flatMap((bundle) => bundle.records));
  const tokens = tokensOf(bundles, chunks);
  const [changes] = await Promise.all([
    recordSends(tx, botId, sends),
    keepReplyTokens(tx, botId, tokens, now),
    keepClicks(tx, botId, clicks),
  ]);
  const hashes = [
    ...tokens.map(({ tokenHash }) => tokenHash),
    ...sends.flatMap(({ replyTokenHash }) => replyTokenHash ?? []),
  ];
  const [replies] = await Promise.all([
    addressedReplies(tx, botId, [...new Set(hashes)]),
    tallySends(tx, botId, tally, changes),
    clicks.length > 0 || sends.some(({ linkSet }) => linkSet !== null) ? countClicks(tx, botId) : undefined,
  ]);
  const pushes = sends.flatMap(({ person, ...send }) => (person === null ? [] : [{ ...send, person }]));
  const events = [
    ...pushes.map((push) => toEvent(push, 'push')),
    ...replies.map((reply) => toEvent(reply, 'reply')),
  ];
  return { events, refused };
}

/** The records of sends and clicks; those that cannot be read are refused. */
function readRecords(deliveries: readonly Delivery[]) {
  const records = { sends: [] as SendRecord[], clicks: [] as ClickRecord[], refused: [] as Refused[] };
  for (const { deliveryId, body } of deliveries) {
    try {
      const record = readRecord(body);
      if (record.kind === 'click') records.clicks.push(record);
      else records.sends.push(record);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      records.refused.push({ deliveryId, reason: error.message });
    }
  }
  return records;
}

/** The reply tokens of the bundles, without those of people of whom the batch has only events that were deleted. */
function tokensOf(bundles: readonly ParsedBundle[], chunks: readonly FoundChunk[]): ReplyToken[] {
  const tokens = bundles.flatMap((bundle) => bundle.tokens);
  const split = chunks.map(({ incoming, storedEvents }) => splitDeleted(incoming, storedEvents));
  const deleted = new Set(split.flatMap(({ ofDeleted }) => ofDeleted.map(({ contact }) => contact)));
  if (deleted.size === 0) return tokens;
  for (const { contact } of split.flatMap(({ present }) => present)) deleted.delete(contact);
  return tokens.filter(({ person }) => !deleted.has(person));
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
