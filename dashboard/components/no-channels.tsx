/** Replaces the figures of a bot without channels. */
import { t } from '../texts/overview.ts';
import { Empty } from './states.tsx';

export function NoChannels() {
  return (
    <div class="card">
      <Empty title={t('noChannels')}>{t('noChannelsHint')}</Empty>
    </div>
  );
}
