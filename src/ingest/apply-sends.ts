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
import { countClicks, keepClicks } from '../line/clicks.ts';
import { tallySends } from '../line/outbound.ts';
import { addressedReplies, keepReplyTokens, type ReplyToken } from '../line/reply-tokens.ts';
import { type ClickRecord, readRecord, type SendRecord } from '../line/send-records.ts';
import { recordSends } from '../line/sends.ts';
import type { Random } from '../random.ts';
import type { Tally } from '../rollups/counters.ts';
import { type FoundChunk, findChunks } from './apply-events.ts';
import { type BotBatch, botEvents, type Refused } from './batch.ts';
import { splitDeleted } from './erase-deleted.ts';

/**
 * Stores the records of the bots, in the caller's transaction and under its locks. Returns the messages among them as events, and the
 * records that cannot be read. Idempotent: events have keys, and records are identified by request id, token or click.
 */
export async function applySends(
  tx: Transaction,
  bots: readonly BotBatch[],
  tallies: ReadonlyMap<string, Tally>,
  chunks: readonly FoundChunk[],
  now: number,
): Promise<{ events: IncomingEvent[]; refused: Refused[] }> {
  const senders = bots
    .filter(({ bundles }) => bundles.some(({ records }) => records.length > 0))
    .map(readRecords);
  const tokens = tokensOf(bots, chunks);
  if (senders.length + tokens.length === 0) return { events: [], refused: [] };
  await Promise.all([
    keepReplyTokens(tx, tokens, now),
    ...senders.map((sender) => storeRecords(tx, tallies, sender)),
  ]);
  const requested = [
    ...tokens,
    ...senders.flatMap(({ botId, sends }) =>
      sends.flatMap(({ replyTokenHash: tokenHash }) => (tokenHash === null ? [] : [{ botId, tokenHash }])),
    ),
  ];
  const replies = await addressedReplies(tx, requested);
  const pushes = senders.flatMap(({ botId, sends }) =>
    sends.flatMap(({ person, ...send }) => (person === null ? [] : [{ ...send, botId, person }])),
  );
  const events = [
    ...pushes.map((push) => toEvent(push, 'push')),
    ...replies.map((reply) => toEvent(reply, 'reply')),
  ];
  return { events, refused: senders.flatMap(({ refused }) => refused) };
}

/** Adds the events of sends to the chunks: only now are their recipients known. Their bots are looked up again, as a whole. */
export async function addSent(
  tx: Transaction,
  bots: readonly BotBatch[],
  found: readonly FoundChunk[],
  { sent, random }: { sent: readonly IncomingEvent[]; random: Random },
): Promise<readonly FoundChunk[]> {
  if (sent.length === 0) return found;
  const byBot = Map.groupBy(sent, ({ botId }) => botId);
  const senders = bots.filter(({ botId }) => byBot.has(botId));
  const chunk = senders.map((bot) =>
    botEvents(bot, [...bot.bundles.flatMap(({ incoming }) => incoming), ...(byBot.get(bot.botId) ?? [])]),
  );
  const others = found.map((one) => ({
    ...one,
    events: one.events.filter(({ bot }) => !byBot.has(bot.botId)),
  }));
  return [...others, ...(await findChunks(tx, [chunk], { random }))];
}

type Records = { botId: string; sends: SendRecord[]; clicks: ClickRecord[]; refused: Refused[] };

async function storeRecords(
  tx: Transaction,
  tallies: ReadonlyMap<string, Tally>,
  { botId, sends, clicks }: Records,
): Promise<void> {
  const tally = tallies.get(botId);
  if (!tally) throw new Error(`the bot ${botId} is missing in its batch`);
  const [changes] = await Promise.all([recordSends(tx, botId, sends), keepClicks(tx, botId, clicks)]);
  await Promise.all([
    tallySends(tx, botId, tally, changes),
    clicks.length > 0 || sends.some(({ linkSet }) => linkSet !== null) ? countClicks(tx, botId) : undefined,
  ]);
}

/** The records of sends and clicks; those that cannot be read are refused. */
function readRecords({ botId, bundles }: BotBatch): Records {
  const records: Records = { botId, sends: [], clicks: [], refused: [] };
  for (const { deliveryId, body } of bundles.flatMap((bundle) => bundle.records)) {
    try {
      const record = readRecord(body);
      if (record.kind === 'click') records.clicks.push(record);
      else records.sends.push(record);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      records.refused.push({ botId, deliveryId, reason: error.message });
    }
  }
  return records;
}

/** The reply tokens of the bots, without those of people of whom the batch has only events that were deleted. */
function tokensOf(
  bots: readonly BotBatch[],
  chunks: readonly FoundChunk[],
): (ReplyToken & { botId: string })[] {
  const tokens = bots.flatMap(({ botId, bundles }) =>
    bundles.flatMap((bundle) => bundle.tokens.map((token) => ({ ...token, botId }))),
  );
  if (tokens.length === 0) return tokens;
  const split = chunks.flatMap(({ events }) =>
    events.map(({ incoming, storedEvents }) => splitDeleted(incoming, storedEvents)),
  );
  const deleted = new Set(split.flatMap(({ ofDeleted }) => ofDeleted.map(personOf)));
  if (deleted.size === 0) return tokens;
  for (const event of split.flatMap(({ present }) => present)) deleted.delete(personOf(event));
  return tokens.filter(({ botId, person }) => !deleted.has(personOf({ botId, contact: person })));
}

function personOf({ botId, contact }: { botId: string; contact: string | null }): string {
  return `${botId} ${contact}`;
}

function toEvent(
  { botId, requestId, person, sentAt }: { botId: string; requestId: string; person: string; sentAt: number },
  detail: 'push' | 'reply',
): IncomingEvent {
  return {
    botId,
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
