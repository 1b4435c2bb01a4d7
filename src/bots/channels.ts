/**
 * Channels: a bot's connections to the platforms, with encrypted credentials. Lists only say which credentials are set.
 */
import type { Keys } from '../auth/keys.ts';
import type { BoxOpener } from '../auth/opened-boxes.ts';
import { type SealedSecrets, validBoxes } from '../auth/sealed-boxes.ts';
import type { Queryable } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { Refusal } from '../errors.ts';
import type { PlatformName } from '../platforms/platform.ts';

export type Channel = {
  botId: string;
  platform: PlatformName;
  enabled: boolean;
  /** The account of its deliveries; null: any. */
  accountId: string | null;
  /** The current one, then the previous one while it is valid. Live chat: the widget keys. */
  secrets: string[];
  /** Meta's handshake. */
  verifyToken: string | null;
  /** For calls to the platform. */
  accessToken: string | null;
  /** LINE: the id of the channel, with which tokens are issued. */
  channelId: string | null;
  /** LINE: the private key that signs requests for tokens, as JSON; null: the secret is used. */
  assertionKey: string | null;
  /** WhatsApp: the business account of the phone number. */
  businessAccountId: string | null;
  /** Live chat: origins of pages that may embed the widget; empty: any. */
  allowedOrigins: string[];
  /** Live chat: whether only verified customers may write. */
  identityRequired: boolean;
  /** Live chat: the key with which the business's server signs a customer's identifier; null: none. */
  identityKey: string | null;
};

export type ListedChannel = Pick<
  Channel,
  | 'platform'
  | 'enabled'
  | 'accountId'
  | 'channelId'
  | 'businessAccountId'
  | 'allowedOrigins'
  | 'identityRequired'
> & {
  assertionKeySet: boolean;
  verifyTokenSet: boolean;
  accessTokenSet: boolean;
  identityKeySet: boolean;
  /** Until then the previous secret is also valid; null: only the current one is. */
  previousSecretUntil: Date | null;
  /** The latest check of a Meta channel's access token; null: it was not checked. */
  tokenCheck: ListedTokenCheck | null;
};

export type ListedTokenCheck = {
  /** Null: the token does not expire, or Meta does not report it. */
  expiresAt: Date | null;
  missingPermissions: string[];
  problem: string | null;
};

/** Enables or disables a channel; its credentials stay. Safe to repeat. Throws Refusal CHANNEL_NOT_FOUND. */
export async function enableChannel(
  sql: Queryable,
  { botId, platform, enabled, now }: { botId: string; platform: PlatformName; enabled: boolean; now: number },
): Promise<void> {
  const changed = await sql`
    update channels set enabled = ${enabled}, updated_at = ${new Date(now)}
    where bot_id = ${botId} and platform = ${platform}`;
  if (changed.count === 0) throw new Refusal('CHANNEL_NOT_FOUND', `Bot ${botId} has no ${platform} channel.`);
}

/** Sets whether clicks of LINE sends are counted by default. Safe to repeat. Throws Refusal CHANNEL_NOT_FOUND. */
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
 * Stores the account that the platform reported, if the channel has none. Returns the channel's account. Safe to repeat. Throws
 * Refusal CHANNEL_NOT_FOUND.
 */
export async function recordAccount(
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

/** The bot's channels, without credentials. */
export async function listChannels(sql: Queryable, botId: string, now: number): Promise<ListedChannel[]> {
  const rows = await sql<(Omit<ListedChannel, 'tokenCheck'> & ListedTokenCheck & { isChecked: boolean })[]>`
    select platform, enabled, account_id as "accountId", business_account_id as "businessAccountId",
      channel_id as "channelId", assertion_key_sealed is not null as "assertionKeySet",
      allowed_origins as "allowedOrigins",
      identity_required as "identityRequired", identity_key_sealed is not null as "identityKeySet",
      verify_token_sealed is not null as "verifyTokenSet", access_token_sealed is not null as "accessTokenSet",
      case when previous_secret_until > ${new Date(now)} then previous_secret_until end as "previousSecretUntil",
      coalesce(checked_at is not null, false) as "isChecked", expires_at as "expiresAt",
      coalesce(missing_permissions, '{}') as "missingPermissions", problem
    from channels left join access_tokens using (bot_id, platform)
    where bot_id = ${botId}
    order by platform`;
  return rows.map(({ isChecked, expiresAt, missingPermissions, problem, ...channel }) => ({
    ...channel,
    tokenCheck: isChecked ? { expiresAt, missingPermissions, problem } : null,
  }));
}

/** Whether the channel is enabled and has an access token or issues its own; null: no channel. */
export async function channelState(
  sql: Queryable,
  { botId, platform }: ChannelId,
): Promise<Pick<ListedChannel, 'enabled' | 'accessTokenSet'> | null> {
  const [channel] = await sql<Pick<ListedChannel, 'enabled' | 'accessTokenSet'>[]>`
    select enabled, ${hasAccess(sql)} as "accessTokenSet" from channels
    where bot_id = ${botId} and platform = ${platform}`;
  return channel ?? null;
}

/** True for platforms that Shoal calls to send a message. */
export function accessTokenNeeded(platform: PlatformName): boolean {
  return platform !== 'liveChat';
}

/** The channel with its credentials; null: none. Throws Refusal INPUT_INVALID if they were sealed with another secret key. */
export async function findChannel(
  sql: Queryable,
  keys: Keys,
  { botId, platform, now }: ChannelId & { now: number },
): Promise<Channel | null> {
  const row = await selectChannel(sql, botId, platform);
  return row && openChannel(row, keys, { botId, platform, now });
}

export type ChannelId = { botId: string; platform: PlatformName };

/** The same for several channels by one query, in their order. A channel that cannot be opened is an error. */
export async function findChannels(
  sql: Queryable,
  keys: BoxOpener,
  ids: readonly ChannelId[],
  { now }: { now: number },
): Promise<(Channel | null | Error)[]> {
  const rows = await sql<(ChannelRow & { botId: string; platform: PlatformName })[]>`
    select bot_id as "botId", platform, ${channelColumns(sql)} from channels
    where bot_id = any (${textList(ids.map(({ botId }) => botId))}::text[])`;
  const byId = new Map(rows.map((row) => [`${row.botId} ${row.platform}`, row]));
  return ids.map((id) => {
    const row = byId.get(`${id.botId} ${id.platform}`);
    if (!row) return null;
    try {
      return openChannel(row, keys, { ...id, now });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error;
    }
  });
}

/** Decrypts the credentials of a row. Throws Refusal INPUT_INVALID if they were sealed with another secret key. */
export function openChannel(
  row: ChannelRow,
  keys: BoxOpener,
  { botId, platform, now }: ChannelId & { now: number },
): Channel {
  const open = (column: string, box: Uint8Array | null) =>
    box === null ? null : keys.unseal(box, { botId, platform, column });
  return {
    botId,
    platform,
    enabled: row.enabled,
    accountId: row.account_id,
    secrets: validBoxes(row, now).flatMap((box) => open('secret', box) ?? []),
    verifyToken: open('verify token', row.verify_token_sealed),
    accessToken: open('access token', row.access_token_sealed),
    channelId: row.channel_id,
    assertionKey: open('assertion key', row.assertion_key_sealed),
    businessAccountId: row.business_account_id,
    allowedOrigins: row.allowed_origins,
    identityRequired: row.identity_required,
    identityKey: open('identity key', row.identity_key_sealed),
  };
}

export type ChannelRow = SealedSecrets & {
  enabled: boolean;
  account_id: string | null;
  business_account_id: string | null;
  verify_token_sealed: Uint8Array | null;
  access_token_sealed: Uint8Array | null;
  channel_id: string | null;
  assertion_key_sealed: Uint8Array | null;
  allowed_origins: string[];
  identity_required: boolean;
  identity_key_sealed: Uint8Array | null;
};

/** The channel's row; null: none. */
export async function selectChannel(
  sql: Queryable,
  botId: string,
  platform: PlatformName,
): Promise<ChannelRow | null> {
  const [row] = await sql<ChannelRow[]>`
    select ${channelColumns(sql)} from channels where bot_id = ${botId} and platform = ${platform}`;
  return row ?? null;
}

/** For queries: whether the platform can be called for the channel in `channels`. */
export function hasAccess(sql: Queryable) {
  return sql`(channels.access_token_sealed is not null or channels.channel_id is not null)`;
}

/** For queries: the columns of a `ChannelRow` and the state. */
export function channelColumns(sql: Queryable) {
  return sql`
    enabled, account_id, business_account_id, secret_sealed, previous_secret_sealed, previous_secret_until, verify_token_sealed,
    access_token_sealed, channel_id, assertion_key_sealed, allowed_origins, identity_required, identity_key_sealed`;
}
