/**
 * Posting: a message is stored once, however often it is sent, and is acknowledged after the commit that holds it.
 *
 *     wait for the commit under way → lock the visitors → leave out what is stored already → lock and check the bytes of the day
 *         → number, insert, tell → commit
 *
 * Messages that come while a commit is under way share the next one, of whichever bots they are. One transaction holds the
 * delivery in the inbox, from which the figures come, and the row that both sides read: neither is ever there without the
 * other. A visitor's row is locked meanwhile, so its numbers become visible in their order.
 */

import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Sql, Transaction } from '../database/client.ts';
import { booleanList, numberList, textList } from '../database/lists.ts';
import { isOutage, logOutage } from '../database/outage.ts';
import { Refusal } from '../errors.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { type Clock, dayOf } from '../time.ts';
import type { ImageType } from './image-type.ts';
import {
  type ChatMessage,
  type MessageRow,
  messageColumns,
  type Sender,
  toDeliveryBody,
  toMessage,
} from './message.ts';
import { sendSignals } from './signals.ts';
import { BatchUsage, type ByteLimits } from './usage.ts';

export type NewMessage = {
  botId: string;
  visitorId: string;
  messageId: string;
  from: Sender;
  /** Who of the business wrote; null for visitors. */
  senderId: string | null;
  agentName: string | null;
  /** Of the visitor's network (usage.ts); null: the business sends. */
  addressKey: string | null;
  quickReplies: readonly string[];
} & ({ text: string; image: null } | { text: null; image: { type: ImageType; content: Uint8Array } });

/** `repeated`: it was stored before, and this is the stored one. */
export type Posted = { message: ChatMessage; repeated: boolean };

type Waiting = {
  message: NewMessage;
  bytes: number;
  resolve(posted: Posted): void;
  reject(reason: unknown): void;
};

const batchCountMax = 200;
const waitingCountMax = 5_000;
const waitingBytesMax = 64 * 1024 * 1024;
const batchBytesMax = 16 * 1024 * 1024;
/** Beside the text itself. */
const messageBytes = 500;
/** Nobody holds a visitor's row as long, but a transaction of a process that is stuck. */
const lockMsMax = 3_000;

export type PostingOptions = {
  clock: Clock;
  log: Pick<Logger, 'error'>;
  /** Bytes that may be stored a day. */
  byteLimits: ByteLimits;
  /** Told after each commit that held messages of the bot. */
  stored(botId: string): void;
};

export class Posting {
  readonly #sql: Sql;
  readonly #options: PostingOptions;
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #running: Promise<void> | null = null;

  constructor(sql: Sql, options: PostingOptions) {
    this.#sql = sql;
    this.#options = options;
  }

  /**
   * Resolves after the commit that holds the message. Safe to repeat with the same message id, also at once and through other
   * processes: it is stored once. Throws Refusal TOKEN_INVALID (the visitor is not there any more), VISITOR_BLOCKED (visitors
   * only), CHAT_QUOTA_REACHED (the day's bytes are used up), MESSAGE_ID_TAKEN (the id is that of another message),
   * CHAT_UNAVAILABLE (not stored, or not known to be: send again).
   */
  post(message: NewMessage): Promise<Posted> {
    const bytes = (message.image?.content.byteLength ?? Buffer.byteLength(message.text ?? '')) + messageBytes;
    if (this.#waiting.length >= waitingCountMax || this.#bytes + bytes > waitingBytesMax) {
      return Promise.reject(
        new Refusal('CHAT_UNAVAILABLE', 'Too many messages wait to be stored; send it again.'),
      );
    }
    this.#bytes += bytes;
    const { promise, resolve, reject } = Promise.withResolvers<Posted>();
    this.#waiting.push({ message, bytes, resolve, reject });
    this.#running ??= this.#run();
    return promise;
  }

  /** Waits until nothing is waiting or under way. */
  async drain(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      // After the current turn of the loop, so that those who come in it, told of the last commit, go together.
      await turn();
      await this.#commit(this.#takeBatch());
    }
    this.#running = null;
  }

  #takeBatch(): Waiting[] {
    let bytes = 0;
    const fitting = this.#waiting.findIndex((waiting, index) => {
      bytes += waiting.bytes;
      return index === batchCountMax || (index > 0 && bytes > batchBytesMax);
    });
    return this.#waiting.splice(0, fitting === -1 ? this.#waiting.length : fitting);
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const messages = batch.map(({ message }) => message);
    const { clock, stored, log, byteLimits } = this.#options;
    try {
      const outcomes = await this.#sql.begin((tx) => postAll(tx, messages, { now: clock(), byteLimits }));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined || outcome instanceof Refusal) reject(outcome);
        else resolve(outcome);
      }
      for (const botId of new Set(messages.map((message) => message.botId))) stored(botId);
    } catch (error) {
      if (isOutage(error)) logOutage(log, error);
      else log.error({ err: error }, 'messages of live chat could not be stored');
      const refusal = new Refusal('CHAT_UNAVAILABLE', 'The message could not be stored; send it again.');
      for (const { reject } of batch) reject(refusal);
    }
    for (const { bytes } of batch) this.#bytes -= bytes;
  }
}

type Visitor = {
  botId: string;
  visitorId: string;
  lastSequence: number;
  lastMessageAt: Date | null;
  blocked: boolean;
  answered: boolean;
  timeZone: string;
};
type Stored = MessageRow & { botId: string; visitorId: string; imageHash: Uint8Array | null };
type Fresh = { message: NewMessage; row: MessageRow; hash: Buffer | null };

async function postAll(
  tx: Transaction,
  messages: readonly NewMessage[],
  { now, byteLimits }: { now: number; byteLimits: ByteLimits },
): Promise<(Posted | Refusal)[]> {
  const visitors = await lockVisitors(tx, messages);
  const known = await findStored(tx, messages);
  const usage = await BatchUsage.lock(
    tx,
    messages.flatMap((message) => {
      const visitor = visitors.get(placeOf(message, ''));
      const isNew =
        visitor && !known.has(placeOf(message, message.messageId)) && !isBlocked(visitor, message);
      return isNew ? [{ message, day: dayOf(now, visitor.timeZone) }] : [];
    }),
    byteLimits,
  );
  const fresh: Fresh[] = [];
  const outcomes = messages.map((message) => {
    const hash = message.image && createHash('sha256').update(message.image.content).digest();
    const stored = known.get(placeOf(message, message.messageId));
    if (stored) return repeat(stored, message, hash);
    const visitor = visitors.get(placeOf(message, ''));
    if (!visitor) return new Refusal('TOKEN_INVALID', 'The visitor is not known any more.');
    if (isBlocked(visitor, message)) {
      return new Refusal('VISITOR_BLOCKED', 'The business takes no messages from this visitor.');
    }
    const { timeZone } = visitor;
    const refusal = usage.take(message, { day: dayOf(now, timeZone), timeZone, now });
    if (refusal) return refusal;
    visitor.answered ||= message.from !== 'visitor';
    // Never before the message ahead of it, whatever the clocks of two processes say.
    const sentAt = new Date(Math.max(now, visitor.lastMessageAt?.getTime() ?? now));
    Object.assign(visitor, { lastSequence: visitor.lastSequence + 1, lastMessageAt: sentAt });
    const row = toRow(message, visitor.lastSequence, sentAt);
    fresh.push({ message, row, hash });
    const { botId, visitorId } = message;
    known.set(placeOf(message, message.messageId), { ...row, botId, visitorId, imageHash: hash });
    return { message: toMessage(row), repeated: false };
  });
  if (fresh.length > 0) await writeAll(tx, fresh, { visitors, usage, now });
  return outcomes;
}

function isBlocked({ blocked }: Visitor, { from }: NewMessage): boolean {
  return blocked && from === 'visitor';
}

function placeOf({ botId, visitorId }: { botId: string; visitorId: string }, messageId: string): string {
  return `${botId} ${visitorId} ${messageId}`;
}

/** The answer to a message that is stored already. */
function repeat(stored: Stored, message: NewMessage, hash: Buffer | null): Posted | Refusal {
  const isSame =
    stored.sender === message.from &&
    stored.text === message.text &&
    (hash === null ? stored.imageHash === null : hash.equals(stored.imageHash ?? new Uint8Array()));
  if (isSame) return { message: toMessage(stored), repeated: true };
  return new Refusal('MESSAGE_ID_TAKEN', `The id ${message.messageId} is that of another message.`);
}

function toRow(message: NewMessage, sequence: number, sentAt: Date): MessageRow {
  const { messageId, from, agentName, text, image, quickReplies } = message;
  return {
    ...{ messageId, sequence, sender: from, agentName, text },
    imageType: image?.type ?? null,
    imageBytes: image?.content.byteLength ?? null,
    quickReplies: [...quickReplies],
    sentAt,
  };
}

/** Locked in one order, so that no two batches wait for each other. */
async function lockVisitors(tx: Transaction, messages: readonly NewMessage[]): Promise<Map<string, Visitor>> {
  const places = new Map(messages.map((message) => [placeOf(message, ''), message]));
  const sorted = [...places.keys()].sort().flatMap((place) => places.get(place) ?? []);
  const [, rows] = await Promise.all([
    tx`select set_config('lock_timeout', ${String(lockMsMax)}, true)`,
    tx<Visitor[]>`
      select visitor.bot_id as "botId", visitor.visitor_id as "visitorId", last_sequence as "lastSequence",
        last_message_at as "lastMessageAt", answered,
        (select time_zone from bots where bots.bot_id = visitor.bot_id) as "timeZone", coalesce((
          select blocked from contacts
          where contacts.bot_id = visitor.bot_id and platform = 'liveChat' and platform_contact_id = visitor.visitor_id
          limit 1), false) as blocked
      from unnest(${textList(sorted.map(({ botId }) => botId))}::text[],
        ${textList(sorted.map(({ visitorId }) => visitorId))}::text[]) with ordinality as asked (bot_id, visitor_id, place)
      cross join lateral (
        select * from chat_visitors
        where chat_visitors.bot_id = asked.bot_id and chat_visitors.visitor_id = asked.visitor_id
        limit 1 for no key update
      ) visitor
      order by place`,
  ]);
  return new Map(rows.map((row) => [placeOf(row, ''), row]));
}

async function findStored(tx: Transaction, messages: readonly NewMessage[]): Promise<Map<string, Stored>> {
  const rows = await tx<Stored[]>`
    select asked.bot_id as "botId", asked.visitor_id as "visitorId", stored.*
    from unnest(${textList(messages.map(({ botId }) => botId))}::text[],
      ${textList(messages.map(({ visitorId }) => visitorId))}::text[],
      ${textList(messages.map(({ messageId }) => messageId))}::text[]) as asked (bot_id, visitor_id, id)
    cross join lateral (
      select ${messageColumns(tx)}, image_hash as "imageHash" from chat_messages
      where chat_messages.bot_id = asked.bot_id and chat_messages.visitor_id = asked.visitor_id
        and chat_messages.message_id = asked.id limit 1
    ) stored`;
  return new Map(rows.map((row) => [placeOf(row, row.messageId), row]));
}

/** Sent one behind the other, without waiting in between. */
async function writeAll(
  tx: Transaction,
  fresh: readonly Fresh[],
  { visitors, usage, now }: { visitors: ReadonlyMap<string, Visitor>; usage: BatchUsage; now: number },
): Promise<void> {
  const changed = [...new Set(fresh.map(({ message }) => placeOf(message, '')))].flatMap(
    (place) => visitors.get(place) ?? [],
  );
  const images = fresh.flatMap(({ message: { botId, visitorId, messageId, image }, row }) =>
    image === null
      ? []
      : [
          {
            bot_id: botId,
            visitor_id: visitorId,
            message_id: messageId,
            content: image.content,
            sent_at: row.sentAt,
          },
        ],
  );
  await Promise.all([
    insertMessages(tx, fresh),
    usage.write(tx),
    images.length > 0 ? tx`insert into chat_images ${tx(images)}` : undefined,
    putDeliveries(
      tx,
      fresh.map((one) => toDelivery(one, now)),
    ),
    // Whoever writes, writes in an open chat.
    tx`
      update chat_visitors set last_sequence = new.sequence, last_message_at = to_timestamp(new.at_ms / 1000::float8),
        closed = false, answered = new.answered
      from unnest(${textList(changed.map(({ botId }) => botId))}::text[],
        ${textList(changed.map(({ visitorId }) => visitorId))}::text[],
        ${numberList(changed.map(({ lastSequence }) => lastSequence))}::bigint[],
        ${numberList(changed.map(({ lastMessageAt }) => lastMessageAt?.getTime() ?? now))}::bigint[],
        ${booleanList(changed.map(({ answered }) => answered))}::boolean[])
        as new (bot_id, visitor_id, sequence, at_ms, answered)
      where chat_visitors.bot_id = new.bot_id and chat_visitors.visitor_id = new.visitor_id`,
    sendSignals(
      tx,
      fresh.map(({ message: { botId, visitorId }, row: { sequence } }) => ({
        ...{ botId, visitorId, sequence },
        type: 'message',
      })),
    ),
  ]);
}

async function insertMessages(tx: Transaction, fresh: readonly Fresh[]): Promise<void> {
  const texts = (of: (one: Fresh) => string | null) => textList(fresh.map(of));
  const numbers = (of: (one: Fresh) => number | null) => numberList(fresh.map(of));
  await tx`
    insert into chat_messages (bot_id, visitor_id, sequence, message_id, sender, agent_name, text, image_type,
      image_bytes, image_hash, quick_replies, sent_at)
    select bot_id, visitor_id, sequence, message_id, sender, agent_name, text, image_type, image_bytes,
      decode(image_hash, 'hex'), array(select jsonb_array_elements_text(quick_replies::jsonb)),
      to_timestamp(at_ms / 1000::float8)
    from unnest(${texts(({ message }) => message.botId)}::text[], ${texts(({ message }) => message.visitorId)}::text[],
      ${numbers(({ row }) => row.sequence)}::bigint[], ${texts(({ row }) => row.messageId)}::text[],
      ${texts(({ row }) => row.sender)}::text[], ${texts(({ row }) => row.agentName)}::text[],
      ${texts(({ row }) => row.text)}::text[], ${texts(({ row }) => row.imageType)}::text[],
      ${numbers(({ row }) => row.imageBytes)}::integer[],
      ${texts(({ hash }) => hash?.toString('hex') ?? null)}::text[],
      ${texts(({ row }) => JSON.stringify(row.quickReplies))}::text[],
      ${numbers(({ row }) => row.sentAt.getTime())}::bigint[])
      as new (bot_id, visitor_id, sequence, message_id, sender, agent_name, text, image_type, image_bytes, image_hash,
        quick_replies, at_ms)`;
}

function toDelivery({ message, row: { sentAt } }: Fresh, now: number) {
  const { botId, visitorId, messageId, from, senderId, text } = message;
  const image = message.image && { type: message.image.type, bytes: message.image.content.byteLength };
  const body = toDeliveryBody({
    visitorId,
    messageId,
    from,
    senderId,
    text,
    image,
    sentAt: sentAt.getTime(),
  });
  return { botId, platform: 'liveChat', source: 'live-chat', body, receivedAt: now } as const;
}
