/**
 * Operations on channels. Credentials are stored and never returned. Only live chat's keys are: the widget key, which every page
 * with the widget contains, and once the new identity key.
 */
import type { ChannelSettings } from '../../bots/channel-settings.ts';
import { enableChannel, findChannel, type ListedChannel, listChannels } from '../../bots/channels.ts';
import { newIdentityKey, newWidgetKey } from '../../bots/widget-keys.ts';
import { connectChannel } from '../../channels/connect-channel.ts';
import { Refusal } from '../../errors.ts';
import { type PlatformName, webhookPlatformNames } from '../../platforms/platform.ts';
import { withIsoDates } from '../iso.ts';
import type { Body, Call, Operations, Sources } from './operation.ts';

export function channelOperations({ sql, keys, clock, random, graph, access }: Sources) {
  const listAll = async (botId: string) =>
    (await listChannels(sql, botId, clock())).map((channel) => toChannel(botId, channel));
  const findListed = async (botId: string, platform: PlatformName) => {
    const channel = (await listAll(botId)).find((one) => one.platform === platform);
    if (!channel) throw new Refusal('CHANNEL_NOT_FOUND', `Bot ${botId} has no ${platform} channel.`);
    return channel;
  };
  const enable =
    (enabled: boolean) =>
    async ({ bot: { botId }, params: { platform } }: Pick<Call<'enableChannel'>, 'bot' | 'params'>) => {
      await sql.begin((tx) => enableChannel(tx, { botId, platform, enabled, now: clock() }));
      return findListed(botId, platform);
    };
  return {
    listChannels: async ({ bot: { botId } }) => ({ channels: await listAll(botId) }),
    async setChannel({ bot: { botId }, params: { platform }, body }) {
      const settings = toSettings(platform, body);
      if (body.newWidgetKey) settings.secret = newWidgetKey(random);
      if (body.newIdentityKey) settings.identityKey = newIdentityKey(random);
      const now = clock();
      await connectChannel(sql, { botId, ...settings }, { now, random, keys, graph, access });
      const channel = await findListed(botId, platform);
      if (platform !== 'liveChat') return channel;
      const stored = await findChannel(sql, keys, { botId, platform, now });
      return { ...channel, widgetKey: stored?.secrets[0], identityKey: settings.identityKey };
    },
    enableChannel: enable(true),
    disableChannel: enable(false),
  } satisfies Partial<Operations>;
}

function toChannel(botId: string, channel: ListedChannel) {
  const { platform } = channel;
  const hasWebhook = webhookPlatformNames.some((name) => name === platform);
  const tokenCheck = channel.tokenCheck && withIsoDates(channel.tokenCheck);
  return {
    ...withIsoDates(channel),
    tokenCheck,
    webhookPath: hasWebhook ? `/webhooks/${botId}/${platform}` : null,
  };
}

function toSettings(platform: PlatformName, body: Body<'setChannel'>): ChannelSettings {
  const { newWidgetKey, newIdentityKey, retireSecret = false, ...settings } = body;
  for (const [name, isNew] of Object.entries({ newWidgetKey, newIdentityKey })) {
    if (!isNew || platform === 'liveChat') continue;
    throw new Refusal('INPUT_INVALID', `${name} in the body is for liveChat, not for ${platform}`);
  }
  return { ...settings, platform, retireSecret };
}
