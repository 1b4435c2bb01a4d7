/** The bot's channels with their state and a link to their set-up. */
import { useAction } from '../../api/action.ts';
import { api, resource } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { Icon } from '../../components/icon.tsx';
import { PlatformName } from '../../components/platform-name.tsx';
import { ErrorNote, Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime } from '../../format/format.ts';
import {
  isPlatformName,
  type PlatformName as Platform,
  platformNames,
  platformTitle,
} from '../../format/platforms.ts';
import { useAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/channels.ts';
import { t as settings } from '../../texts/settings.ts';
import type { Channel } from './channel.ts';
import { ChannelGuide } from './channel-guide.tsx';
import { LiveChatChannel } from './live-chat-channel.tsx';

export function Channels({ bot }: PageProps) {
  const { query } = useAddress();
  const live = useLive(resource('/api/v1/bots/{botId}/channels', { path: { botId: bot.botId } }));
  const { platform = '' } = query;
  return (
    <Loaded live={live}>
      {({ channels }) => {
        if (!isPlatformName(platform) || !may('admin')) {
          return <List bot={bot} channels={channels} changed={live.reload} />;
        }
        const channel = channels.find((one) => one.platform === platform) ?? null;
        const parts = { bot, channel, changed: live.reload };
        return (
          <>
            <BackToAll />
            {platform === 'liveChat' ? (
              <LiveChatChannel {...parts} />
            ) : (
              <ChannelGuide key={platform} platform={platform} {...parts} />
            )}
          </>
        );
      }}
    </Loaded>
  );
}

function BackToAll() {
  const { path } = useAddress();
  return (
    <a class="back" href={`${path}?section=channels`}>
      <Icon name="back" />
      {t('allChannels')}
    </a>
  );
}

type ListProps = PageProps & { channels: readonly Channel[]; changed(): void };

function List({ bot, channels, changed }: ListProps) {
  const health = useLive(resource('/api/v1/bots/{botId}/health', { path: { botId: bot.botId } }));
  return (
    <Card title={settings('channels')} note={t('channelsNote')}>
      <ul class="channels">
        {platformNames.map((platform) => {
          const channel = channels.find((one) => one.platform === platform);
          const status = health.value?.channels.find((one) => one.platform === platform);
          return (
            <li key={platform}>
              <div>
                <h3>
                  <PlatformName platform={platform} />
                </h3>
                <p class="note">{words(channel, status?.lastDeliveryAt ?? null, bot.timeZone)}</p>
              </div>
              <span class={stateClass(channel)}>{t(stateOf(channel))}</span>
              {may('write') && (
                <Buttons bot={bot} platform={platform} channel={channel ?? null} changed={changed} />
              )}
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

function stateOf(channel: Channel | undefined): 'notConnected' | 'connected' | 'disabled' {
  if (!channel) return 'notConnected';
  return channel.enabled ? 'connected' : 'disabled';
}

function stateClass(channel: Channel | undefined): string {
  return { notConnected: 'tag', connected: 'tag tag-good', disabled: 'tag tag-warn' }[stateOf(channel)];
}

function words(channel: Channel | undefined, lastDeliveryAt: string | null, zone: string): string {
  if (!channel) return t('notConnectedNote');
  return lastDeliveryAt === null
    ? t('nothingYet')
    : t('lastDelivery', { at: dateTime(lastDeliveryAt, zone) });
}

type ButtonsProps = PageProps & { platform: Platform; channel: Channel | null; changed(): void };

function Buttons({ bot, platform, channel, changed }: ButtonsProps) {
  const { path } = useAddress();
  const title = platformTitle(platform);
  const params = { path: { botId: bot.botId, platform } };
  const enabling = useAction(async () => {
    await api.POST('/api/v1/bots/{botId}/channels/{platform}/enable', { params });
    changed();
    showToast(t('enabled', { platform: title }));
  });
  return (
    <span class="row-actions">
      {may('admin') && (
        <a
          class="button"
          href={`${path}?section=channels&platform=${platform}`}
          aria-label={t(channel ? 'openWhich' : 'setUpWhich', { platform: title })}
        >
          {t(channel ? 'open' : 'setUp')}
        </a>
      )}
      {channel?.enabled && (
        <ConfirmButton
          title={t('disableWhich', { platform: title })}
          text={t(platform === 'liveChat' ? 'disableChatAsk' : 'disableAsk')}
          actionTitle={t('disable')}
          isDangerous
          act={async () => {
            await api.POST('/api/v1/bots/{botId}/channels/{platform}/disable', { params });
            changed();
            showToast(t('disabledDone', { platform: title }));
          }}
        >
          {t('disable')}
        </ConfirmButton>
      )}
      {channel && !channel.enabled && (
        <button
          type="button"
          class="button"
          aria-label={t('enableWhich', { platform: title })}
          disabled={enabling.isBusy}
          onClick={() => void enabling.run()}
        >
          {t('enable')}
        </button>
      )}
      {enabling.error && <ErrorNote error={enabling.error} />}
    </span>
  );
}
