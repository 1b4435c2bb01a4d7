/**
 * Setting a channel whose access token Meta checks first. A token that Meta refuses, or that belongs to another account, is not
 * stored. While Meta cannot be reached, the token is stored unchecked; the collector checks it later.
 */
import type { Keys } from '../auth/keys.ts';
import { selectChannel } from '../bots/channels.ts';
import { isMetaPlatform, putTokenCheck, type TokenCheck } from '../bots/meta-tokens.ts';
import { type ChannelSettings, setChannel } from '../bots/set-channel.ts';
import type { Sql } from '../database/client.ts';
import { invalidInput } from '../errors.ts';
import type { Random } from '../random.ts';
import { type GraphClient, GraphFailure } from './graph-client.ts';
import { checkToken, type MetaChannel } from './token-check.ts';

type Parts = { now: number; random: Random; keys: Keys; graph: Pick<GraphClient, 'get'> };

/** Sets the channel as `setChannel`. Throws Refusal INPUT_INVALID for a refused token or one of another account. */
export async function connectChannel(
  sql: Sql,
  { botId, ...settings }: { botId: string } & ChannelSettings,
  parts: Parts,
): Promise<void> {
  const { platform, accessToken } = settings;
  const channel = isMetaPlatform(platform) && accessToken ? await channelOf(sql, botId, settings) : null;
  const check = channel === null ? null : await checkNow(channel, parts);
  if (check?.problem) throw invalidInput(check.problem);
  await setChannel(sql, { botId, ...settings }, parts);
  if (channel === null || check === null) return;
  await putTokenCheck(sql, { botId, platform: channel.platform, checkedAt: parts.now }, check);
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
