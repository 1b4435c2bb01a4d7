/**
 * The bytes that live chat stores a day for a visitor, an address and a bot, counted in the database for all processes.
 *
 *     visitor's message      visitor, address, bot
 *     image of the business  bot
 *     text of the business   not counted: agents can always answer
 *
 * A message is refused if one of its counts would exceed its limit. A repeated message is not counted. Days are those of the bot's
 * zone.
 */
import { createHmac } from 'node:crypto';
import type { Fragment, Queryable, Transaction } from '../database/client.ts';
import { type Column, rowTable } from '../database/row-table.ts';
import { Refusal } from '../errors.ts';
import { addDays, dayMs, dayOf, dayStart, secondMs } from '../time.ts';
import type { NewMessage } from './message.ts';

const usageKinds = ['visitor', 'address', 'bot'] as const;
type UsageKind = (typeof usageKinds)[number];
/** Bytes a day; 0: no limit. */
export type ByteLimits = Readonly<Record<UsageKind, number>>;

/** The counted properties of a message. */
type CountedMessage = Pick<NewMessage, 'botId' | 'visitorId' | 'from' | 'addressKey' | 'text' | 'image'>;

export type DayUsage = {
  day: string;
  /** The highest count of a visitor, of an address, and the bot's count; `limit` null: no limit. */
  counts: Record<UsageKind, { bytes: number; limit: number | null }>;
};

type Count = { botId: string; day: string; kind: UsageKind; key: string };
type UsageRow = Count & { bytes: number; added: number };

const storedDays = 2;

/** A pseudonym of a network, different for each bot. */
export function addressKeyOf(key: Uint8Array, botId: string, network: string): string {
  return createHmac('sha256', key)
    .update(JSON.stringify(['live chat', botId, network]))
    .digest('base64url');
}

/** The counts of a batch, locked until its transaction ends. */
export class BatchUsage {
  readonly #rows: ReadonlyMap<string, UsageRow>;
  readonly #limits: ByteLimits;

  private constructor(rows: ReadonlyMap<string, UsageRow>, limits: ByteLimits) {
    this.#rows = rows;
    this.#limits = limits;
  }

  /** Locks the counts of the messages in one order, so that two batches never deadlock. */
  static async lock(
    tx: Transaction,
    messages: readonly { message: CountedMessage; day: string }[],
    limits: ByteLimits,
  ): Promise<BatchUsage> {
    const counts = new Map(
      messages.flatMap(({ message, day }) =>
        countsOf(message, day).map((count) => [nameOf(count), count] as const),
      ),
    );
    if (counts.size === 0) return new BatchUsage(new Map(), limits);
    const sorted = [...counts.keys()].sort().flatMap((name) => counts.get(name) ?? []);
    const rows = await tx<(Count & { bytes: number })[]>`
      insert into chat_usage as stored (bot_id, day, kind, key, bytes)
      select bot_id, day, kind, key, 0 from ${rowTable(tx, 'counts', sorted, countColumns)}
      on conflict (bot_id, day, kind, key) do update set bytes = stored.bytes
      returning bot_id as "botId", day::text as day, kind, key, bytes::float8 as bytes`;
    return new BatchUsage(new Map(rows.map((row) => [nameOf(row), { ...row, added: 0 }])), limits);
  }

  /** Counts a new message. Returns null, or a refusal without counting it. */
  take(message: CountedMessage, { day, timeZone, now }: { day: string; timeZone: string; now: number }) {
    const rows = countsOf(message, day).map((count) => {
      const row = this.#rows.get(nameOf(count));
      if (!row) throw new Error('the count of a message is not locked');
      return row;
    });
    const bytes = bytesOf(message);
    const full = rows.find((row) => {
      const limit = this.#limits[row.kind];
      return limit > 0 && row.bytes + row.added + bytes > limit;
    });
    if (full) return quotaReached(full.kind, this.#limits[full.kind], { day, timeZone, now });
    for (const row of rows) row.added += bytes;
    return null;
  }

  /** Stores the counted bytes. */
  async write(tx: Transaction): Promise<void> {
    const rows = [...this.#rows.values()].filter(({ added }) => added > 0);
    if (rows.length === 0) return;
    await tx`
      update chat_usage set bytes = bytes + added
      from ${rowTable(tx, 'counts', rows, { ...countColumns, added: ['bigint', ({ added }) => added] })}
      where chat_usage.bot_id = counts.bot_id and chat_usage.day = counts.day and chat_usage.kind = counts.kind
        and chat_usage.key = counts.key`;
  }
}

const countColumns = {
  bot_id: ['text', ({ botId }) => botId],
  day: ['date', ({ day }) => day],
  kind: ['text', ({ kind }) => kind],
  key: ['text', ({ key }) => key],
} as const satisfies Record<string, Column<Count>>;

/** Today's bytes and their limits. */
export async function readUsage(
  sql: Queryable,
  { botId, timeZone }: { botId: string; timeZone: string },
  { now, limits }: { now: number; limits: ByteLimits },
): Promise<DayUsage> {
  const day = dayOf(now, timeZone);
  const rows = await sql<{ kind: UsageKind; bytes: number }[]>`
    select kind, max(bytes)::float8 as bytes from chat_usage
    where bot_id = ${botId} and day = ${day}::date group by kind`;
  const countOf = (kind: UsageKind) => ({
    bytes: rows.find((row) => row.kind === kind)?.bytes ?? 0,
    limit: limits[kind] || null,
  });
  return {
    day,
    counts: { visitor: countOf('visitor'), address: countOf('address'), bot: countOf('bot') },
  };
}

/** Deletes the counts of days that are over in every time zone. Safe to repeat. */
export async function purgeUsage(sql: Queryable, botId: string, { now }: { now: number }): Promise<void> {
  await sql`delete from chat_usage where bot_id = ${botId} and ${isOldUsage(sql, { now })}`;
}

/** For queries over `chat_usage`: true for counts that `purgeUsage` deletes. */
export function isOldUsage(sql: Queryable, { now }: { now: number }): Fragment {
  return sql`day < ${dayOf(now - storedDays * dayMs, 'UTC')}::date`;
}

function countsOf({ botId, visitorId, from, addressKey, image }: CountedMessage, day: string): Count[] {
  const bot: Count = { botId, day, kind: 'bot', key: '' };
  if (from !== 'visitor') return image === null ? [] : [bot];
  if (addressKey === null) throw new Error("a visitor's message has no address");
  return [
    { botId, day, kind: 'visitor', key: visitorId },
    { botId, day, kind: 'address', key: addressKey },
    bot,
  ];
}

function nameOf({ botId, day, kind, key }: Count): string {
  return `${botId} ${day} ${kind} ${key}`;
}

function bytesOf({ text, image }: CountedMessage): number {
  return image?.content.byteLength ?? Buffer.byteLength(text ?? '');
}

function quotaReached(
  kind: UsageKind,
  limit: number,
  { day, timeZone, now }: { day: string; timeZone: string; now: number },
): Refusal {
  const subject = { visitor: 'One visitor', address: 'One address', bot: 'This live chat' }[kind];
  const tomorrow = dayStart(addDays(day, 1), timeZone);
  return new Refusal('CHAT_QUOTA_REACHED', `${subject} may send ${limit} bytes a day.`, {
    retryAfterSeconds: Math.max(1, Math.ceil((tomorrow - now) / secondMs)),
  });
}
