/**
 * The recipients of replies. A reply contains no user id, only the token of the webhook event that it answers. Shoal therefore
 * stores the person of each token and the token of each reply for a day. The one that arrives second finds the other. Only hashes
 * of tokens are stored.
 */
import { createHash } from 'node:crypto';
import type { Fragment, Queryable } from '../database/client.ts';
import { msOf } from '../database/instants.ts';
import { botOf, rowsOfBots, rowTable } from '../database/row-table.ts';
import { readDelivery, readEach, readId } from '../platforms/delivery.ts';
import { readPerson } from '../platforms/line.ts';
import { dayMs } from '../time.ts';

/** `tokenHash` comes from `hashReplyToken`; `person` is LINE's user id. */
export type ReplyToken = { tokenHash: string; person: string };
/** A reply and its recipient. `sentAt` in ms. */
type AddressedReply = { botId: string; requestId: string; sentAt: number; person: string };

/** A token is valid for about a minute, but deliveries and records may wait longer in the inbox. */
const storageMs = dayMs;

/**
 * The hashed reply tokens of a verified body, each with the person of its one-to-one chat; omits groups and rooms.
 * Never throws.
 */
export function readReplyTokens(body: Uint8Array, accountId: string | null): ReplyToken[] {
  const tokens: ReplyToken[] = [];
  readDelivery(body, (root, delivery) => {
    const destination = readId(root.destination, 'destination');
    if (accountId !== null && destination !== null && destination !== accountId) return;
    readEach(root.events, 'events', delivery, ({ replyToken: token, source }) => {
      const [replyToken, person] = [readId(token, 'replyToken'), readPerson(source)];
      if (replyToken !== null && person !== null)
        tokens.push({ tokenHash: hashReplyToken(replyToken), person });
    });
  });
  return tokens;
}

/** The stored hash of a reply token, in hexadecimal digits. The token itself opens a reply, so it is not stored. */
export function hashReplyToken(replyToken: string): string {
  return createHash('sha256').update(replyToken).digest('hex');
}

/** Stores the persons of tokens. Idempotent. */
export async function keepReplyTokens(
  sql: Queryable,
  tokens: readonly (ReplyToken & { botId: string })[],
  now: number,
): Promise<void> {
  if (tokens.length === 0) return;
  await sql`
    insert into line_reply_tokens (bot_id, token_hash, platform_contact_id, kept_at)
    select bot_id, decode(token_hash, 'hex'), person, ${new Date(now)}
    from ${rowsOfBots(sql, 'new', tokens, {
      bot_id: ['text', ({ botId }) => botId],
      token_hash: ['text', ({ tokenHash }) => tokenHash],
      person: ['text', ({ person }) => person],
    })}
    on conflict (bot_id, token_hash) do nothing`;
}

/** Returns the stored replies with one of the tokens, if its person is also stored. Tokens may repeat. */
export async function addressedReplies(
  sql: Queryable,
  tokens: readonly { botId: string; tokenHash: string }[],
): Promise<AddressedReply[]> {
  if (tokens.length === 0) return [];
  const bot = botOf(sql, 'requested', tokens);
  return sql<AddressedReply[]>`
    select requested.bot_id as "botId", sent.request_id as "requestId", ${msOf(sql, 'sent.sent_at')} as "sentAt",
      token.platform_contact_id as person
    from (
      select distinct bot_id, decode(token_hash, 'hex') as token_hash
      from ${rowTable(sql, 'sent', tokens, {
        bot_id: ['text', ({ botId }) => botId],
        token_hash: ['text', ({ tokenHash }) => tokenHash],
      })}
    ) requested
    cross join lateral (
      select platform_contact_id from line_reply_tokens
      where line_reply_tokens.bot_id = ${bot} and line_reply_tokens.token_hash = requested.token_hash limit 1
    ) token
    cross join lateral (
      select request_id, sent_at from line_sends
      where line_sends.bot_id = ${bot} and reply_token_hash = requested.token_hash
    ) sent`;
}

/** Deletes tokens that were stored more than a day ago. Idempotent. */
export async function purgeReplyTokens(
  sql: Queryable,
  botId: string,
  { now }: { now: number },
): Promise<void> {
  await sql`delete from line_reply_tokens where bot_id = ${botId} and ${isOldToken(sql, { now })}`;
  await sql`
    update line_sends set reply_token_hash = null where bot_id = ${botId} and ${hasOldToken(sql, { now })}`;
}

/** For queries over `line_reply_tokens`: true for tokens that `purgeReplyTokens` deletes. */
export function isOldToken(sql: Queryable, { now }: { now: number }): Fragment {
  return sql`kept_at < ${new Date(now - storageMs)}`;
}

/** For queries over `line_sends`: true for sends whose token `purgeReplyTokens` deletes. */
export function hasOldToken(sql: Queryable, { now }: { now: number }): Fragment {
  return sql`reply_token_hash is not null and sent_at < ${new Date(now - storageMs)}`;
}
