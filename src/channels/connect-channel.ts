/**
 * Setting a channel whose credentials the platform checks first, so that a bot cannot be connected to the account of another one.
 *
 * - Meta: an access token that Meta refuses, or that belongs to another account, is not stored. While Meta cannot be reached, the token is
 *   stored unchecked; the collector checks it later.
 * - LINE: a channel id authorizes all callers with a token of that channel. It is stored only after LINE has issued a token for the id
 *   with the channel's secret or assertion key.
 */
import type { Keys } from '../auth/keys.ts';
import { checkSettings } from '../bots/channel-settings.ts';
import { findChannel, selectChannel } from '../bots/channels.ts';
import { isMetaPlatform, type TokenCheck } from '../bots/meta-tokens.ts';
import { type ChannelSettings, setChannel } from '../bots/set-channel.ts';
import type { Sql } from '../database/client.ts';
import { invalidInput, Refusal } from '../errors.ts';
import type { LineAccess } from '../line/access.ts';
import { type GraphClient, GraphFailure } from '../meta/graph-client.ts';
import { checkToken, type MetaChannel } from '../meta/token-check.ts';
import type { Random } from '../random.ts';

type Parts = {
  now: number;
  random: Random;
  keys: Keys;
  graph: Pick<GraphClient, 'get'>;
  access: Pick<LineAccess, 'tokenOf'>;
};

/**
 * Sets the channel as `setChannel`. Throws Refusal INPUT_INVALID for a refused token, one of another account, or a channel id without
 * proof, and LINE_UNREACHABLE if LINE cannot check a channel id now.
 */
export async function connectChannel(
  sql: Sql,
  { botId, ...settings }: { botId: string } & ChannelSettings,
  parts: Parts,
): Promise<void> {
  const { platform, accessToken } = settings;
  const channel = isMetaPlatform(platform) && accessToken ? await channelOf(sql, botId, settings) : null;
  const check = channel === null ? null : await checkNow(channel, parts);
  await proveChannelId(sql, { botId, ...settings }, parts);
  if (check?.problem) throw invalidInput(check.problem);
  const { now, random, keys } = parts;
  await setChannel(sql, { botId, ...settings }, { now, random, keys, tokenCheck: check });
}

async function channelOf(
  sql: Sql,
  botId: string,
  { platform, accessToken, accountId, businessAccountId }: ChannelSettings,
): Promise<MetaChannel | null> {
  const before = await selectChannel(sql, botId, platform);
  const account = accountId ?? before?.account_id;
  // Without an account id the settings are incomplete, which setChannel explains.
  if (!isMetaPlatform(platform) || accessToken === undefined || account == null) return null;
  return {
    ...{ platform, accessToken, accountId: account },
    businessAccountId: businessAccountId ?? before?.business_account_id ?? null,
  };
}

async function checkNow(channel: MetaChannel, { graph, now }: Parts): Promise<TokenCheck | null> {
  try {
    return await checkToken(graph, channel, now);
  } catch (error) {
    if (!(error instanceof GraphFailure)) throw error;
    if (error.failure === 'token-refused')
      throw invalidInput(`Meta refuses the access token. ${error.message}`);
    return null;
  }
}

async function proveChannelId(
  sql: Sql,
  { botId, ...settings }: { botId: string } & ChannelSettings,
  { keys, now, access }: Parts,
): Promise<void> {
  const { platform, channelId, secret, assertionKey } = settings;
  if (platform !== 'line' || channelId == null) return;
  checkSettings(settings, { isNew: false });
  const before = await findChannel(sql, keys, { botId, platform, now });
  const proof = await access.tokenOf({
    channelId,
    secrets: secret === undefined ? (before?.secrets.slice(0, 1) ?? []) : [secret],
    assertionKey: assertionKey ?? before?.assertionKey ?? null,
    accessToken: null,
  });
  if ('token' in proof) return;
  if (proof.failure === 'token-refused')
    throw invalidInput('LINE issues no access token for this channel id and its secret or assertion key.');
  if (proof.failure === 'sealed')
    throw invalidInput('A channel id needs the channel secret or an assertion key.');
  throw new Refusal(
    'LINE_UNREACHABLE',
    `LINE must check the channel id. ${proof.problem} Nothing was stored.`,
  );
}
