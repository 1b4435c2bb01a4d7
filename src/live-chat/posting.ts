/**
 * Posting: a message is stored once, however often it is sent, and is acknowledged after its commit.
 *
 *     wait for the running commit → lock the visitors → skip stored messages → lock and check the day's bytes
 *         → number, insert, signal → commit
 *
 * Messages that arrive during a commit share the next one, across bots. One transaction holds the delivery in the inbox, from
 * which figures are counted, and the row that both sides read. It locks the visitor's row, so messages become visible in order.
 */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { Batcher } from '../batcher.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { logFailure } from '../database/outage.ts';
import { Refusal } from '../errors.ts';
import { type Clock, dayOf, minuteMs } from '../time.ts';
import type { ChatMessage, NewMessage } from './message.ts';
import {
  findStored,
  lockVisitors,
  messageKey,
  type NewRow,
  type StoredMessage,
  type Visitor,
  writeMessages,
} from './posting-rows.ts';
import { keyOf } from './signals.ts';
import { BatchUsage, type ByteLimits } from './usage.ts';

/** `repeated`: the message was stored before, and this is the stored one. */
export type Posted = { message: ChatMessage; repeated: boolean };

export type PostingOptions = {
  clock: Clock;
  log: Pick<Logger, 'error'>;
  /** Bytes that may be stored a day. */
  byteLimits: ByteLimits;
  /** Called after each commit that held messages of the bot. */
  stored(botId: string): void;
};

const batchCountMax = 200;
const batchBytesMax = 16 * 1024 * 1024;
const waitingCountMax = 5_000;
const bytesMax = 64 * 1024 * 1024;
/** Between the clocks of two processes. */
const clockSkewMsMax = minuteMs;
/** Of a message without its text. */
const messageBytes = 500;

export class Posting {
  readonly #sql: Sql;
  readonly #options: PostingOptions;
  readonly #batches: Batcher<NewMessage, Posted>;

  constructor(sql: Sql, options: PostingOptions) {
    this.#sql = sql;
    this.#options = options;
    this.#batches = new Batcher<NewMessage, Posted>((messages) => this.#commit(messages), {
      ...{ runsMax: 1, batchCountMax, batchBytesMax, waitingCountMax, bytesMax },
      bytesOf: ({ text, image }) =>
        (image?.content.byteLength ?? Buffer.byteLength(text ?? '')) + messageBytes,
      refusal: () => new Refusal('CHAT_UNAVAILABLE', 'Too many messages wait to be stored; send it again.'),
    });
  }

  /**
   * Resolves after the message's commit. Safe to repeat with the same message id, also at once and through other processes.
   * Throws Refusal TOKEN_INVALID (the visitor was deleted), VISITOR_BLOCKED (visitors only), CHAT_QUOTA_REACHED (the day's bytes
   * are used up), MESSAGE_ID_TAKEN (another message has the id), CHAT_UNAVAILABLE (not stored, or unknown: send again).
   */
  post(message: NewMessage): Promise<Posted> {
    return this.#batches.put(message);
  }

  /** Resolves when no message waits or is being stored. */
  drain(): Promise<void> {
    return this.#batches.drain();
  }

  async #commit(messages: NewMessage[]): Promise<(Posted | Refusal)[]> {
    const { clock, stored, log, byteLimits } = this.#options;
    try {
      const outcomes = await this.#sql.begin((tx) => postAll(tx, messages, { now: clock(), byteLimits }));
      for (const botId of new Set(messages.map((message) => message.botId))) stored(botId);
      return outcomes;
    } catch (error) {
      logFailure(log, error, 'messages of live chat could not be stored');
      throw new Refusal('CHAT_UNAVAILABLE', 'The message could not be stored; send it again.');
    }
  }
}

async function postAll(
  tx: Transaction,
  messages: readonly NewMessage[],
  { now, byteLimits }: { now: number; byteLimits: ByteLimits },
): Promise<(Posted | Refusal)[]> {
  const visitors = await lockVisitors(tx, messages);
  const storedMessages = await findStored(tx, messages);
  const usage = await BatchUsage.lock(
    tx,
    messages.flatMap((message) => {
      const visitor = visitors.get(keyOf(message));
      const isCounted = visitor && !storedMessages.has(messageKey(message)) && !isBlocked(visitor, message);
      return isCounted ? [{ message, day: dayOf(now, visitor.timeZone) }] : [];
    }),
    byteLimits,
  );
  const newRows: NewRow[] = [];
  const outcomes = messages.map((message) => {
    const hash = message.image && createHash('sha256').update(message.image.content).digest();
    const stored = storedMessages.get(messageKey(message));
    if (stored) return repeat(stored, message, hash);
    const visitor = visitors.get(keyOf(message));
    if (!visitor) return new Refusal('TOKEN_INVALID', 'The visitor no longer exists.');
    if (isBlocked(visitor, message)) {
      return new Refusal('VISITOR_BLOCKED', 'The business has blocked this visitor.');
    }
    const { timeZone } = visitor;
    const refusal = usage.take(message, { day: dayOf(now, timeZone), timeZone, now });
    if (refusal) return refusal;
    const row = toRow(message, advance(visitor, message, now), hash);
    newRows.push(row);
    storedMessages.set(messageKey(message), row);
    return { message: row.message, repeated: false };
  });
  if (newRows.length > 0) {
    await Promise.all([usage.write(tx), writeMessages(tx, newRows, { visitors, now })]);
  }
  return outcomes;
}

function isBlocked({ blocked }: Visitor, { from }: NewMessage): boolean {
  return blocked && from === 'visitor';
}

/** Gives the visitor's next message its number and time. */
function advance(visitor: Visitor, { from }: NewMessage, now: number): { sequence: number; sentAt: Date } {
  visitor.answered ||= from !== 'visitor';
  // Clocks of processes differ a little: a message is not earlier than the one before it. After a clock that was wrong, it may be.
  const lastAt = visitor.lastMessageAt?.getTime() ?? now;
  const sentAt = new Date(lastAt > now + clockSkewMsMax ? now : Math.max(now, lastAt));
  visitor.lastMessageAt = sentAt;
  visitor.lastSequence += 1;
  return { sequence: visitor.lastSequence, sentAt };
}

/** The answer to a message whose id is stored. */
function repeat(stored: StoredMessage, message: NewMessage, hash: Buffer | null): Posted | Refusal {
  const isSame =
    stored.message.from === message.from &&
    stored.message.text === message.text &&
    (hash === null ? stored.imageHash === null : hash.equals(stored.imageHash ?? new Uint8Array()));
  if (isSame) return { message: stored.message, repeated: true };
  return new Refusal('MESSAGE_ID_TAKEN', `Another message has the id ${message.messageId}.`);
}

function toRow(
  sent: NewMessage,
  { sequence, sentAt }: { sequence: number; sentAt: Date },
  imageHash: Buffer | null,
): NewRow {
  const { botId, visitorId, messageId, from, agentName, text, image, quickReplies } = sent;
  const message: ChatMessage = {
    ...{ messageId, sequence, from, agentName, kind: image === null ? 'text' : 'image', text },
    image: image && { type: image.type, bytes: image.content.byteLength },
    quickReplies: [...quickReplies],
    sentAt: sentAt.toISOString(),
  };
  return { botId, visitorId, sent, message, imageHash };
}
