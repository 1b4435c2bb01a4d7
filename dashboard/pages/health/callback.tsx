/** The state of the bot's outgoing webhooks, and their log. The settings page changes the address. */
import type { Schema } from '../../api/client.ts';
import { CallbackState } from '../../components/callback-state.tsx';
import { Card } from '../../components/card.tsx';
import { Empty } from '../../components/states.tsx';
import { pageAddress } from '../../state/address.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/callback.ts';
import { t as health } from '../../texts/health.ts';
import { WebhookLog } from './webhook-log.tsx';

type CallbackProps = {
  path: { botId: string };
  zone: string;
  callback: Schema['Callback'] | null;
  onChanged(): void;
};

export function CallbackCard({ path, zone, callback, onChanged }: CallbackProps) {
  return (
    <Card
      title={health('callback')}
      note={t('note')}
      actions={
        may('admin') && (
          <a class="button" href={`${pageAddress(path.botId, 'settings')}?section=callback`}>
            {t('change')}
          </a>
        )
      }
    >
      {callback ? (
        <CallbackState callback={callback} zone={zone} />
      ) : (
        <Empty title={t('none')}>{t('noneHint')}</Empty>
      )}
      <WebhookLog path={path} zone={zone} hasAddress={callback !== null} onChanged={onChanged} />
    </Card>
  );
}
