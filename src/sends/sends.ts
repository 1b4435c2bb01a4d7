/**
 * Sends: one message for many contacts of one channel. Creates, reads, pauses and stops them; job.ts does the work.
 */
import { createHash } from 'node:crypto';
import { lockBot } from '../bots/bots.ts';
import type { ContactFilter } from '../contacts/filter.ts';
import type { Fragment, Queryable, Sql, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { Refusal } from '../errors.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { dayMs } from '../time.ts';
import { eraseNames } from './erasure.ts';
import { checkMessage, type Message } from './message.ts';

export type SendState = 'running' | 'paused' | 'stopped' | 'done';

/** Minutes of the day in the zone between which nothing is sent; `until` may be before `from`, on the next day. */
export type QuietHours = { from: number; until: number };

export type Send = {
  botId: string;
  sendId: number;
  name: string;
  platform: PlatformName;
  message: Message;
  /** Null: the caller named the contacts. */
  audience: ContactFilter | null;
  state: SendState;
  isPlanned: boolean;
  startsAt: Date;
  quietHours: QuietHours | null;
  zone: string;
  recipients: number;
  /** Recipients without a result. */
  pending: number;
  /** Left out because they had blocked the account. */
  blocked: number;
  /** Requested ids of no contact. */
  unknownContacts: number;
  accepted: number;
  refused: number;
  /** The platform's answer was lost. */
  unknown: number;
  delivered: number;
  read: number;
  /** Why the last attempt failed; null: it did not. */
  failure: string | null;
  dueAt: Date;
  createdBy: string | null;
  createdAt: Date;
  updatedAt: Date;
  endedAt: Date | null;
};

export type NewSend = Pick<Send, 'botId' | 'name' | 'platform' | 'message' | 'zone' | 'quietHours'> & {
  /** Contact ids, or a filter that is applied when the send starts. */
  to: { contactIds: readonly string[]; unknownContacts: number } | { filter: ContactFilter };
  /** ms; null: now. */
  startsAt: number | null;
  /** Null: none, so a repeated call creates another send. */
  key: RequestKey | null;
  createdBy: string | null;
};

/** The caller's key, with the hash of the body as it was sent. */
export type RequestKey = { key: string; contentHash: string };

export function requestKey(key: string, body: object): RequestKey {
  return { key, contentHash: createHash('sha256').update(JSON.stringify(body)).digest('hex') };
}

/** The send that an earlier call with the key created; null: none. Throws Refusal KEY_REUSED (it had another body). */
export async function findRepeated(
  sql: Queryable,
  botId: string,
  { key, contentHash }: RequestKey,
): Promise<Send | null> {
  const [row] = await sql<{ sendId: number; contentHash: string }[]>`
    select send_id as "sendId", content_hash as "contentHash" from sends where bot_id = ${botId} and key = ${key}`;
  if (!row) return null;
  if (row.contentHash !== contentHash)
    throw new Refusal('KEY_REUSED', `The key ${key} belongs to a send with other content.`);
  return findSend(sql, { botId, sendId: row.sendId });
}

/**
 * Creates a send. Named recipients are stored with it. With a key, a repeated call returns the existing send. Throws Refusal
 * BOT_NOT_FOUND, CHANNEL_NOT_FOUND, INPUT_INVALID (the message), KEY_REUSED (the key belongs to a send with other content).
 */
export async function createSend(
  sql: Sql,
  send: NewSend,
  { now }: { now: number },
): Promise<{ send: Send; repeated: boolean }> {
  checkMessage(send.platform, send.message);
  return sql.begin(async (tx) => {
    await lockBot(tx, send.botId);
    await requireChannel(tx, send);
    const existing = send.key === null ? null : await findRepeated(tx, send.botId, send.key);
    if (existing !== null) return { send: existing, repeated: true };
    const sendId = await insertSend(tx, send, now);
    if ('contactIds' in send.to) {
      await nameRecipients(tx, { botId: send.botId, sendId, ...send.to });
    }
    return { send: await findSend(tx, { botId: send.botId, sendId }), repeated: false };
  }) as Promise<{ send: Send; repeated: boolean }>;
}

async function requireChannel(sql: Queryable, { botId, platform }: NewSend): Promise<void> {
  const [channel] = await sql`
    select from channels where bot_id = ${botId} and platform = ${platform}`;
  if (!channel) throw new Refusal('CHANNEL_NOT_FOUND', `Bot ${botId} has no ${platform} channel.`);
}

async function insertSend(
  tx: Transaction,
  { botId, name, platform, message, zone, quietHours, to, startsAt, key, createdBy }: NewSend,
  now: number,
): Promise<number> {
  const at = new Date(now);
  const starts = new Date(startsAt ?? now);
  const [row] = await tx<{ sendId: number }[]>`
    insert into sends (bot_id, name, platform, key, content_hash, message, audience, planned, starts_at, quiet_from,
      quiet_until, zone, due_at, created_by, created_at, updated_at)
    values (${botId}, ${name}, ${platform}, ${key?.key ?? null}, ${key?.contentHash ?? ''}, ${JSON.stringify(message)}::text::jsonb,
      ${'filter' in to ? JSON.stringify(to.filter) : null}::text::jsonb, ${'contactIds' in to}, ${starts},
      ${quietHours?.from ?? null}, ${quietHours?.until ?? null}, ${zone}, ${starts}, ${createdBy}, ${at}, ${at})
    returning send_id as "sendId"`;
  if (!row) throw new Error('a new send has no row');
  return row.sendId;
}

/** Stores named recipients in their order, without those that have blocked the account. */
async function nameRecipients(
  tx: Transaction,
  {
    botId,
    sendId,
    contactIds,
    unknownContacts,
  }: { botId: string; sendId: number; contactIds: readonly string[]; unknownContacts: number },
): Promise<void> {
  await tx`
    with named as (
      select contacts.contact_id, contacts.blocked, row_number() over (partition by contacts.blocked order by named.place) as place
      from unnest(${textList([...new Set(contactIds)])}::text[]) with ordinality as named (contact_id, place)
      join contacts on contacts.bot_id = ${botId} and contacts.contact_id = named.contact_id
    ), inserted as (
      insert into send_recipients (bot_id, send_id, position, contact_id)
      select ${botId}, ${sendId}, place, contact_id from named where not blocked
    )
    update sends set recipients = counted.recipients, plan_blocked = counted.blocked, unknown_contacts = ${unknownContacts}
    from (
      select count(*) filter (where not blocked) as recipients, count(*) filter (where blocked) as blocked from named
    ) counted
    where bot_id = ${botId} and send_id = ${sendId}`;
}

export type SendKey = Pick<Send, 'botId' | 'sendId'>;

/** The send. Throws Refusal SEND_NOT_FOUND. */
export async function findSend(sql: Queryable, { botId, sendId }: SendKey): Promise<Send> {
  const [row] = await sql<
    Row[]
  >`select ${columns(sql)} from sends where bot_id = ${botId} and send_id = ${sendId}`;
  if (row) return toSend(row);
  throw new Refusal('SEND_NOT_FOUND', `Bot ${botId} has no send ${sendId}.`);
}

/** A page of the bot's sends, newest first: those before `beforeId` if it is set. */
export async function listSends(
  sql: Queryable,
  botId: string,
  { limit, beforeId }: { limit: number; beforeId: number | null },
): Promise<Send[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from sends
    where bot_id = ${botId} ${beforeId === null ? sql`` : sql`and send_id < ${beforeId}`}
    order by send_id desc limit ${limit}`;
  return rows.map(toSend);
}

/** The states that a call can set, each with the states that it changes. */
const changes: Readonly<Record<Exclude<SendState, 'done'>, readonly SendState[]>> = {
  running: ['paused'],
  paused: ['running'],
  stopped: ['running', 'paused'],
};

/**
 * Pauses, resumes or stops a send. Calls that run finish, and their results are stored. Safe to repeat; a send that has ended stays as it
 * is. Throws Refusal SEND_NOT_FOUND.
 */
export async function setState(
  sql: Queryable,
  { botId, sendId }: SendKey,
  { state, now }: { state: keyof typeof changes; now: number },
): Promise<Send> {
  const at = new Date(now);
  await sql`
    update sends set state = ${state}, updated_at = ${at}, ended_at = ${state === 'stopped' ? at : null},
      due_at = greatest(starts_at, ${at}), failure = null, attempts = 0
    where bot_id = ${botId} and send_id = ${sendId} and state = any (${changes[state] as SendState[]}::text[])`;
  if (state === 'stopped') await eraseNames(sql, { botId, sendId });
  return findSend(sql, { botId, sendId });
}

/** How long a send is kept after its end, or after its last change if it is paused. */
const keptDays = 400;
const deletedAtOnce = 10_000;

/** Deletes sends that ended long ago, with their recipients, in bounded steps. Safe to repeat. */
export async function purgeSends(
  sql: Queryable,
  botId: string,
  { now }: { now: number },
): Promise<{ more: boolean }> {
  const { count } = await sql`
    delete from send_recipients where bot_id = ${botId} and (send_id, position) in (
      select recipient.send_id, recipient.position from sends
      join send_recipients recipient on recipient.bot_id = ${botId} and recipient.send_id = sends.send_id
      where sends.bot_id = ${botId} and ${isOldSend(sql, { now })}
      limit ${deletedAtOnce}
    )`;
  if (count === deletedAtOnce) return { more: true };
  await sql`delete from sends where bot_id = ${botId} and ${isOldSend(sql, { now })}`;
  return { more: false };
}

/** For queries over `sends`: true for sends that `purgeSends` deletes. */
export function isOldSend(sql: Queryable, { now }: { now: number }): Fragment {
  const before = new Date(now - keptDays * dayMs);
  return sql`(sends.ended_at < ${before} or (sends.state = 'paused' and sends.updated_at < ${before}))`;
}

type Row = Omit<Send, 'quietHours'> & { quietFrom: number | null; quietUntil: number | null };

function columns(sql: Queryable): Fragment {
  return sql`bot_id as "botId", send_id as "sendId", name, platform, message, audience, state, planned as "isPlanned",
    starts_at as "startsAt", quiet_from as "quietFrom", quiet_until as "quietUntil", zone, recipients,
    recipients - accepted - refused - unknown - blocked as pending,
    plan_blocked + blocked as blocked, unknown_contacts as "unknownContacts", accepted, refused, unknown, delivered, read,
    failure, due_at as "dueAt", created_by as "createdBy", created_at as "createdAt", updated_at as "updatedAt",
    ended_at as "endedAt"`;
}

function toSend({ quietFrom, quietUntil, ...send }: Row): Send {
  const quietHours =
    quietFrom === null || quietUntil === null ? null : { from: quietFrom, until: quietUntil };
  return { ...send, quietHours };
}
