/** In place of figures, of a bot that is not connected to any platform yet. */
import { t } from '../texts/overview.ts';
import { Empty } from './states.tsx';

export function NoChannels() {
  return (
    <div class="card">
      <Empty title={t('noChannels')}>{t('noChannelsHint')}</Empty>
    </div>
  );
}
