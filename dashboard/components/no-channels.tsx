/** Replaces the figures of a bot without channels. */
import { pageAddress } from '../state/address.ts';
import type { PageProps } from '../state/bots.ts';
import { may } from '../state/session.ts';
import { t } from '../texts/overview.ts';
import { Empty } from './states.tsx';

export function NoChannels({ bot }: PageProps) {
  return (
    <div class="card">
      <Empty title={t('noChannels')}>
        <p>{t('noChannelsHint')}</p>
        {may('admin') && (
          <a class="button button-main" href={`${pageAddress(bot.botId, 'settings')}?section=channels`}>
            {t('connectChannel')}
          </a>
        )}
      </Empty>
    </div>
  );
}
