/**
 * Setting channels: new credentials are encrypted here.
 *
 * A replaced secret stays valid for 7 days, so deliveries signed with either secret are accepted while the platform changes over.
 */

import type { Keys, SecretKey } from '../auth/keys.ts';
import { type SealedSecrets, unsealOrNull } from '../auth/sealed-boxes.ts';
import { sealingKey } from '../auth/secret-key.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { invalidInput } from '../errors.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Random } from '../random.ts';
import { dayMs } from '../time.ts';
import { lockBot } from './bots.ts';
import { type ChannelSettings, checkSettings } from './channel-settings.ts';
import { type ChannelRow, selectChannel } from './channels.ts';
import { setChannelToken } from './line-tokens.ts';
import { isMetaPlatform, noteAccessToken, putTokenCheck, type TokenCheck } from './meta-tokens.ts';
import { indexWidgetKeys, newWidgetKey } from './widget-keys.ts';

export type { ChannelSettings } from './channel-settings.ts';

/** `tokenCheck`: Meta's check of the access token in the settings; null: it is not checked. */
type Parts = { now: number; random: Random; keys: Keys; tokenCheck?: TokenCheck | null };

const rotationDays = 7;
/** The class of the advisory locks on channel ids. */
const channelIdLock = 51;

/**
 * Connects a bot to a platform, or changes the connection; omitted settings stay. A new live chat gets its widget key here. Safe to
 * repeat. Throws Refusal BOT_NOT_FOUND, and INPUT_INVALID for a missing or malformed setting, or a channel id of another bot. Does not
 * ask the platform; `connectChannel` does.
 */
export async function setChannel(
  sql: Sql,
  { botId, ...settings }: { botId: string } & ChannelSettings,
  { now, random, keys, tokenCheck = null }: Parts,
): Promise<void> {
  const { platform } = settings;
  await sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const before = await selectChannel(tx, botId, platform);
    const changes = { ...settings };
    if (before === null && platform === 'liveChat') changes.secret ??= newWidgetKey(random);
    checkSettings(changes, { isNew: before === null });
    if (changes.identityRequired && !changes.identityKey && !before?.identity_key_sealed) {
      throw invalidInput('Identity can only be required with an identity key. Create one, too.');
    }
    if (changes.channelId != null) await claimChannelId(tx, botId, changes.channelId);
    const key = await sealingKey(tx, keys);
    const box = (column: string, text: string | undefined) =>
      text === undefined ? null : key.seal(text, { botId, platform, column });
    await upsertChannel(tx, botId, {
      platform,
      account_id: changes.accountId ?? before?.account_id ?? null,
      business_account_id: changes.businessAccountId ?? before?.business_account_id ?? null,
      ...replaceSecret(before, changes, { botId, now, keys, key }),
      verify_token_sealed: box('verify token', changes.verifyToken) ?? before?.verify_token_sealed ?? null,
      access_token_sealed: box('access token', changes.accessToken) ?? before?.access_token_sealed ?? null,
      channel_id: changes.channelId === undefined ? (before?.channel_id ?? null) : changes.channelId,
      assertion_key_sealed:
        changes.channelId === null
          ? null
          : (box('assertion key', changes.assertionKey) ?? before?.assertion_key_sealed ?? null),
      allowed_origins: changes.allowedOrigins ?? before?.allowed_origins ?? [],
      identity_required: changes.identityRequired ?? before?.identity_required ?? false,
      identity_key_sealed: box('identity key', changes.identityKey) ?? before?.identity_key_sealed ?? null,
      updated_at: new Date(now),
    });
    if (platform === 'line' && changes.accessToken !== undefined) {
      await setChannelToken(tx, botId, changes.accessToken, { now, random });
    }
    if (isMetaPlatform(platform) && changes.accessToken !== undefined) {
      const tokenId = await noteAccessToken(tx, { botId, platform }, random);
      if (tokenCheck !== null)
        await putTokenCheck(tx, { botId, platform, tokenId, checkedAt: now }, tokenCheck);
    }
    if (platform === 'liveChat') await indexWidgetKeys(tx, keys, { botId, now });
    await tx`
      insert into totals (bot_id, platform) values (${botId}, ${platform})
      on conflict (bot_id, platform) do nothing`;
  });
}

/** A channel id belongs to one bot. The lock replaces a unique index, which Citus cannot have without the bot's id. */
async function claimChannelId(tx: Transaction, botId: string, channelId: string): Promise<void> {
  await tx`select pg_advisory_xact_lock(${channelIdLock}, hashtext(${channelId}))`;
  const others = await tx`
    select from channels where platform = 'line' and channel_id = ${channelId} and bot_id <> ${botId}`;
  if (others.length > 0)
    throw invalidInput('Another bot is connected to this channel id. Remove it there first.');
}

async function upsertChannel(
  tx: Transaction,
  botId: string,
  row: Omit<ChannelRow, 'enabled'> & { platform: PlatformName; updated_at: Date },
): Promise<void> {
  await tx`
    insert into channels ${tx({ bot_id: botId, created_at: row.updated_at, ...row })}
    on conflict (bot_id, platform) do update set ${tx(row)}`;
}

/** The boxes of the secrets after the change. */
function replaceSecret(
  before: SealedSecrets | null,
  { platform, secret, retireSecret }: ChannelSettings,
  { botId, now, keys, key }: { botId: string; now: number; keys: Keys; key: SecretKey },
): SealedSecrets {
  const place = { botId, platform, column: 'secret' };
  const none = { previous_secret_sealed: null, previous_secret_until: null };
  // After a lost key, new secrets can still be set.
  const current = before && unsealOrNull(keys, { sealed: before.secret_sealed, place });
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
