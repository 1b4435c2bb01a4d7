/**
 * Operations on channels. Credentials go in and never come out; only live chat's keys are told to who may set them: the widget
 * key, which stands in every page that carries the widget, and once the identity key, which was made here.
 */
import {
  type ChannelSettings,
  enableChannel,
  findChannel,
  type ListedChannel,
  listChannels,
  newIdentityKey,
  newWidgetKey,
  setChannel,
} from '../../bots/channels.ts';
import { Refusal } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { textOf } from '../../json.ts';
import { type PlatformName, webhookPlatformNames } from '../../platforms/platform.ts';
import {
  type ManagementCall,
  type ManagementOperations,
  type ManagementSources,
  platformOf,
  textsOf,
} from './call.ts';

export function channelOperations({ sql, keys, clock, random }: ManagementSources): ManagementOperations {
  const listed = async (botId: string) =>
    (await listChannels(sql, botId, clock())).map((channel) => toChannel(botId, channel));
  const findListed = async (botId: string, platform: PlatformName) => {
    const channel = (await listed(botId)).find((one) => one.platform === platform);
    if (!channel) throw new Refusal('CHANNEL_NOT_FOUND', `Bot ${botId} has no ${platform} channel.`);
    return channel;
  };
  const enable = (enabled: boolean) => async (call: ManagementCall) => {
    const { botId, platform } = placeOf(call);
    await enableChannel(sql, { botId, platform, enabled, now: clock() });
    return findListed(botId, platform);
  };
  return {
    listChannels: async ({ bot: { botId } }) => ({ channels: await listed(botId) }),
    async setChannel(call) {
      const { botId, platform } = placeOf(call);
      const settings = toSettings(platform, call.body);
      if (call.body.newWidgetKey === true) settings.secret = newWidgetKey(random);
      if (call.body.newIdentityKey === true) settings.identityKey = newIdentityKey(random);
      const now = clock();
      await setChannel(sql, { botId, ...settings }, { now, random, keys });
      const channel = await findListed(botId, platform);
      if (platform !== 'liveChat') return channel;
      const opened = await findChannel(sql, keys, { botId, platform, now });
      return { ...channel, widgetKey: opened?.secrets[0], identityKey: settings.identityKey };
    },
    enableChannel: enable(true),
    disableChannel: enable(false),
  };
}

function placeOf({ bot: { botId }, params }: ManagementCall): { botId: string; platform: PlatformName } {
  const platform = platformOf(params.platform);
  if (platform === null) throw new Error('the contract let a platform through that there is not');
  return { botId, platform };
}

function toChannel(botId: string, { previousSecretUntil, ...channel }: ListedChannel) {
  const { platform } = channel;
  const hasWebhook = webhookPlatformNames.some((name) => name === platform);
  return {
    ...channel,
    previousSecretUntil: previousSecretUntil?.toISOString() ?? null,
    webhookPath: hasWebhook ? `/webhooks/${botId}/${platform}` : null,
  };
}

function toSettings(platform: PlatformName, body: JsonObject): ChannelSettings {
  const settings: ChannelSettings = { platform, retireSecret: body.retireSecret === true };
  for (const name of ['secret', 'accountId', 'verifyToken', 'accessToken'] as const) {
    const value = textOf(body[name]);
    if (value !== undefined) settings[name] = value;
  }
  const allowedOrigins = textsOf(body.allowedOrigins);
  if (allowedOrigins !== undefined) settings.allowedOrigins = allowedOrigins;
  if (typeof body.identityRequired === 'boolean') settings.identityRequired = body.identityRequired;
  for (const name of ['newWidgetKey', 'newIdentityKey'] as const) {
    if (body[name] !== true || platform === 'liveChat') continue;
    throw new Refusal('INPUT_INVALID', `${name} in the body is for liveChat, not for ${platform}`);
  }
  return settings;
}
