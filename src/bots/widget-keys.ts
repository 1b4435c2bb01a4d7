/**
 * Keys of live chat channels, and the look-up of a channel by its widget key. The database stores hashes of widget keys.
 */
import { hash } from 'node:crypto';
import type { Keys } from '../auth/keys.ts';
import type { Queryable } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { Refusal } from '../errors.ts';
import type { Random } from '../random.ts';
import { type Channel, findChannel } from './channels.ts';

const widgetKeyBytes = 24;
const identityKeyBytes = 32;

/** A key for `secret` of a live chat channel: 32 characters, public in pages. */
export function newWidgetKey(random: Random): string {
  return Buffer.from(random(widgetKeyBytes)).toString('base64url');
}

/** A key for `identityKey` of a live chat channel: 43 characters, secret on the business's server. */
export function newIdentityKey(random: Random): string {
  return Buffer.from(random(identityKeyBytes)).toString('base64url');
}

/** The enabled live chat with this valid widget key; null: none. */
export async function findWidget(
  sql: Queryable,
  keys: Keys,
  { widgetKey, now }: { widgetKey: string; now: number },
): Promise<Channel | null> {
  const rows = await sql<{ botId: string }[]>`
    select bot_id as "botId" from channels where widget_key_hashes @> array[${hash('sha256', widgetKey, 'buffer')}::bytea]`;
  for (const { botId } of rows) {
    const channel = await findChannel(sql, keys, { botId, platform: 'liveChat', now });
    if (channel?.enabled && channel.secrets.includes(widgetKey)) return channel;
  }
  return null;
}

/** Stores the hashes of widget keys that have none yet. Safe to repeat. */
export async function indexAllWidgetKeys(
  sql: Queryable,
  keys: Keys,
  { now }: { now: number },
): Promise<void> {
  const rows = await sql<{ botId: string }[]>`
    select bot_id as "botId" from channels where platform = 'liveChat' and widget_key_hashes = '{}'`;
  for (const { botId } of rows) {
    try {
      await indexWidgetKeys(sql, keys, { botId, now });
    } catch (error) {
      // Unreadable credentials of one bot must not prevent the start; KeyWatch reports them.
      if (!(error instanceof Refusal)) throw error;
    }
  }
}

/** Stores the hashes of a live chat's valid widget keys. */
export async function indexWidgetKeys(
  sql: Queryable,
  keys: Keys,
  { botId, now }: { botId: string; now: number },
): Promise<void> {
  const channel = await findChannel(sql, keys, { botId, platform: 'liveChat', now });
  const hashes = channel?.secrets.map((secret) => hash('sha256', secret)) ?? [];
  await sql`
    update channels set widget_key_hashes = array(
      select decode(hash, 'hex') from unnest(${textList(hashes)}::text[]) as valid (hash))
    where bot_id = ${botId} and platform = 'liveChat'`;
}
