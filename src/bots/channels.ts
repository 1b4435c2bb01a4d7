/**
 * Channels: a bot's connections to the platforms, with their credentials. These are sealed here and opened here; a listing
 * tells only which are set.
 *
 * A new secret takes the place of the old one, which stays valid for 7 days, so that deliveries signed with either are taken
 * while the platform is being changed over.
 */
import { createHash } from 'node:crypto';
import type { Keys, SecretKey } from '../auth/keys.ts';
import { sealingKey } from '../auth/secret-key.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { Refusal } from '../errors.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Random } from '../random.ts';
import { dayMs } from '../time.ts';
import { lockBot } from './bots.ts';
import { type ChannelSettings, checkSettings } from './channel-settings.ts';
import { setChannelToken } from './line-tokens.ts';

export type { ChannelSettings } from './channel-settings.ts';

export type Channel = {
  botId: string;
  platform: PlatformName;
  enabled: boolean;
  /** The account that deliveries must be for; null: any. */
  accountId: string | null;
  /** The current one first, behind it the one before while it is still valid. Live chat: the widget key. */
  secrets: string[];
  /** Meta's handshake. */
  verifyToken: string | null;
  /** For calls to the platform. */
  accessToken: string | null;
  /** Live chat: origins of the pages that may carry the widget; empty: any. */
  allowedOrigins: string[];
  /** Live chat: whether only customers whom the business vouches for may write. */
  identityRequired: boolean;
  /** Live chat: with it the business's server signs who a visitor is; null: it vouches for nobody. */
  identityKey: string | null;
};

export type ListedChannel = Pick<
  Channel,
  'platform' | 'enabled' | 'accountId' | 'allowedOrigins' | 'identityRequired'
> & {
  verifyTokenSet: boolean;
  accessTokenSet: boolean;
  identityKeySet: boolean;
  /** Until then the secret before the current one is valid, too; null: only the current one is. */
  previousSecretUntil: Date | null;
};

/** So long a replaced secret stays valid. */
const rotationDays = 7;
const widgetKeyBytes = 24;
const identityKeyBytes = 32;

/**
 * Connects a bot to a platform, or changes the connection: what is left out stays as it is. A new live chat gets its widget
 * key here. Safe to repeat. Throws Refusal BOT_NOT_FOUND, and INPUT_INVALID for what is missing or cannot be right.
 */
export async function setChannel(
  sql: Sql,
  { botId, ...settings }: { botId: string } & ChannelSettings,
  { now, random, keys }: { now: number; random: Random; keys: Keys },
): Promise<void> {
  const { platform } = settings;
  await sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const before = await selectChannel(tx, botId, platform);
    const given = { ...settings };
    if (before === null && platform === 'liveChat') given.secret ??= newWidgetKey(random);
    checkSettings(given, { isNew: before === null });
    if (given.identityRequired && !given.identityKey && !before?.identity_key_sealed) {
      throw new Refusal(
        'INPUT_INVALID',
        'Identity can only be required with an identity key: make one, too.',
      );
    }
    const key = await sealingKey(tx, keys);
    const box = (column: string, text: string | undefined) =>
      text === undefined ? null : key.seal(text, { botId, platform, column });
    await upsertChannel(tx, botId, {
      platform,
      account_id: given.accountId ?? before?.account_id ?? null,
      ...replaceSecret(before, given, { botId, now, keys, key }),
      verify_token_sealed: box('verify token', given.verifyToken) ?? before?.verify_token_sealed ?? null,
      access_token_sealed: box('access token', given.accessToken) ?? before?.access_token_sealed ?? null,
      allowed_origins: given.allowedOrigins ?? before?.allowed_origins ?? [],
      identity_required: given.identityRequired ?? before?.identity_required ?? false,
      identity_key_sealed: box('identity key', given.identityKey) ?? before?.identity_key_sealed ?? null,
      updated_at: new Date(now),
    });
    if (platform === 'line' && given.accessToken !== undefined) {
      await setChannelToken(tx, botId, given.accessToken, { now, random });
    }
    if (platform === 'liveChat') await keepWidgetKeys(tx, keys, { botId, now });
    await tx`
      insert into totals (bot_id, platform) values (${botId}, ${platform})
      on conflict (bot_id, platform) do nothing`;
  });
}

/** A key for `secret` of a live chat channel: 32 characters that may stand in a page. */
export function newWidgetKey(random: Random): string {
  return Buffer.from(random(widgetKeyBytes)).toString('base64url');
}

/** A key for `identityKey` of a live chat channel: 43 characters that stand on the business's own server only. */
export function newIdentityKey(random: Random): string {
  return Buffer.from(random(identityKeyBytes)).toString('base64url');
}

/** The enabled live chat whose widget key, current or not replaced for long, this is; null: there is none. */
export async function findWidget(
  sql: Queryable,
  keys: Keys,
  { widgetKey, now }: { widgetKey: string; now: number },
): Promise<Channel | null> {
  const rows = await sql<{ botId: string }[]>`
    select bot_id as "botId" from channels where widget_key_hashes @> array[${hashOf(widgetKey)}::bytea]`;
  for (const { botId } of rows) {
    const channel = await findChannel(sql, keys, { botId, platform: 'liveChat', now });
    if (channel?.enabled && channel.secrets.includes(widgetKey)) return channel;
  }
  return null;
}

/** Lets live chats be found by their widget keys that were made before that was possible. Safe to repeat. */
export async function keepAllWidgetKeys(sql: Queryable, keys: Keys, { now }: { now: number }): Promise<void> {
  const rows = await sql<{ botId: string }[]>`
    select bot_id as "botId" from channels where platform = 'liveChat' and widget_key_hashes = '{}'`;
  for (const { botId } of rows) {
    try {
      await keepWidgetKeys(sql, keys, { botId, now });
    } catch (error) {
      // One bot's unreadable credentials must not keep the server from starting; KeyWatch reports them.
      if (!(error instanceof Refusal)) throw error;
    }
  }
}

/** Switches a channel on or off; its credentials stay. Safe to repeat. Throws Refusal CHANNEL_NOT_FOUND. */
export async function enableChannel(
  sql: Queryable,
  { botId, platform, enabled, now }: { botId: string; platform: PlatformName; enabled: boolean; now: number },
): Promise<void> {
  const changed = await sql`
    update channels set enabled = ${enabled}, updated_at = ${new Date(now)}
    where bot_id = ${botId} and platform = ${platform}`;
  if (changed.count === 0) throw new Refusal('CHANNEL_NOT_FOUND', `Bot ${botId} has no ${platform} channel.`);
}

/** Whether the clicks of LINE sends that do not say so themselves are counted. Safe to repeat. Throws Refusal CHANNEL_NOT_FOUND. */
export async function trackClicks(
  sql: Queryable,
  { botId, isOn, now }: { botId: string; isOn: boolean; now: number },
): Promise<void> {
  const changed = await sql`
    update channels set track_clicks = ${isOn}, updated_at = ${new Date(now)}
    where bot_id = ${botId} and platform = 'line'`;
  if (changed.count === 0) throw new Refusal('CHANNEL_NOT_FOUND', `Bot ${botId} has no line channel.`);
}

/**
 * Gives a channel without an account the one that its platform has told; gives the account that stands now. Safe to repeat.
 * Throws Refusal CHANNEL_NOT_FOUND.
 */
export async function learnAccount(
  sql: Queryable,
  {
    botId,
    platform,
    accountId,
    now,
  }: { botId: string; platform: PlatformName; accountId: string; now: number },
): Promise<string> {
  const [row] = await sql<{ account_id: string }[]>`
    update channels set account_id = coalesce(account_id, ${accountId}),
      updated_at = case when account_id is null then ${new Date(now)} else updated_at end
    where bot_id = ${botId} and platform = ${platform}
    returning account_id`;
  if (!row) throw new Refusal('CHANNEL_NOT_FOUND', `Bot ${botId} has no ${platform} channel.`);
  return row.account_id;
}

/** The bot's channels, without anything secret. */
export async function listChannels(sql: Queryable, botId: string, now: number): Promise<ListedChannel[]> {
  return sql<ListedChannel[]>`
    select platform, enabled, account_id as "accountId", allowed_origins as "allowedOrigins",
      identity_required as "identityRequired", identity_key_sealed is not null as "identityKeySet",
      verify_token_sealed is not null as "verifyTokenSet", access_token_sealed is not null as "accessTokenSet",
      case when previous_secret_until > ${new Date(now)} then previous_secret_until end as "previousSecretUntil"
    from channels where bot_id = ${botId}
    order by platform`;
}

/**
 * The channel with its credentials opened; null: there is none. Throws Refusal INPUT_INVALID when the secret key is not the
 * one they were sealed with.
 */
export async function findChannel(
  sql: Queryable,
  keys: Keys,
  { botId, platform, now }: { botId: string; platform: PlatformName; now: number },
): Promise<Channel | null> {
  const row = await selectChannel(sql, botId, platform);
  if (row === null) return null;
  const open = (column: string, box: Uint8Array | null) =>
    box === null ? null : keys.unseal(box, { botId, platform, column });
  const isPreviousValid = (row.previous_secret_until?.getTime() ?? 0) > now;
  const boxes = [row.secret_sealed, isPreviousValid ? row.previous_secret_sealed : null];
  return {
    botId,
    platform,
    enabled: row.enabled,
    accountId: row.account_id,
    secrets: boxes.flatMap((box) => open('secret', box) ?? []),
    verifyToken: open('verify token', row.verify_token_sealed),
    accessToken: open('access token', row.access_token_sealed),
    allowedOrigins: row.allowed_origins,
    identityRequired: row.identity_required,
    identityKey: open('identity key', row.identity_key_sealed),
  };
}

type Secrets = {
  secret_sealed: Uint8Array;
  previous_secret_sealed: Uint8Array | null;
  previous_secret_until: Date | null;
};

type Row = Secrets & {
  account_id: string | null;
  verify_token_sealed: Uint8Array | null;
  access_token_sealed: Uint8Array | null;
  allowed_origins: string[];
  identity_required: boolean;
  identity_key_sealed: Uint8Array | null;
};

async function selectChannel(
  sql: Queryable,
  botId: string,
  platform: PlatformName,
): Promise<(Row & { enabled: boolean }) | null> {
  const [row] = await sql<(Row & { enabled: boolean })[]>`
    select enabled, account_id, secret_sealed, previous_secret_sealed, previous_secret_until, verify_token_sealed,
      access_token_sealed, allowed_origins, identity_required, identity_key_sealed
    from channels where bot_id = ${botId} and platform = ${platform}`;
  return row ?? null;
}

async function upsertChannel(
  tx: Transaction,
  botId: string,
  row: Row & { platform: PlatformName; updated_at: Date },
): Promise<void> {
  await tx`
    insert into channels ${tx({ bot_id: botId, created_at: row.updated_at, ...row })}
    on conflict (bot_id, platform) do update set ${tx(row)}`;
}

/** The boxes of the secrets after the change. Current and previous are sealed for the same place, so that one can become the other. */
function replaceSecret(
  before: Secrets | null,
  { platform, secret, retireSecret }: ChannelSettings,
  { botId, now, keys, key }: { botId: string; now: number; keys: Keys; key: SecretKey },
): Secrets {
  const place = { botId, platform, column: 'secret' };
  const none = { previous_secret_sealed: null, previous_secret_until: null };
  const current = before === null ? null : openOrNull(keys, before.secret_sealed, place);
  if (before !== null && (secret === undefined || secret === current)) {
    const { secret_sealed, previous_secret_sealed, previous_secret_until } = before;
    const previous = retireSecret ? none : { previous_secret_sealed, previous_secret_until };
    return { secret_sealed, ...previous };
  }
  if (secret === undefined) throw new Error('a new channel without a secret');
  const secret_sealed = key.seal(secret, place);
  if (before === null || current === null || retireSecret) return { secret_sealed, ...none };
  const until = new Date(now + rotationDays * dayMs);
  return { secret_sealed, previous_secret_sealed: before.secret_sealed, previous_secret_until: until };
}

async function keepWidgetKeys(
  sql: Queryable,
  keys: Keys,
  { botId, now }: { botId: string; now: number },
): Promise<void> {
  const channel = await findChannel(sql, keys, { botId, platform: 'liveChat', now });
  const hashes = channel?.secrets.map((secret) => hashOf(secret).toString('hex')) ?? [];
  await sql`
    update channels set widget_key_hashes = array(
      select decode(hash, 'hex') from unnest(${textList(hashes)}::text[]) as valid (hash))
    where bot_id = ${botId} and platform = 'liveChat'`;
}

function hashOf(widgetKey: string): Buffer {
  return createHash('sha256').update(widgetKey).digest();
}

// Who has lost the key must still be able to set a new secret.
function openOrNull(keys: Keys, box: Uint8Array, place: { botId: string; platform: string; column: string }) {
  try {
    return keys.unseal(box, place);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}
