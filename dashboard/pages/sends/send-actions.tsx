/** Pauses, resumes and stops a send. */
import { useAction } from '../../api/action.ts';
import { api, type Schema } from '../../api/client.ts';
import { ConfirmButton } from '../../components/confirm.tsx';
import { ErrorNote } from '../../components/states.tsx';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t as campaign } from '../../texts/campaign.ts';
import { t } from '../../texts/sends.ts';

type Props = PageProps & { send: Schema['Send']; onChanged(): void };

export function SendActions({ bot, send, onChanged }: Props) {
  const action = useAction();
  const params = { path: { botId: bot.botId, sendId: send.sendId } };
  if (!may('write') || send.state === 'done' || send.state === 'stopped') return null;
  const isPaused = send.state === 'paused';
  const change = async (): Promise<void> => {
    const isDone = await action.run(() =>
      isPaused
        ? api.POST('/api/v1/bots/{botId}/sends/{sendId}/resume', { params })
        : api.POST('/api/v1/bots/{botId}/sends/{sendId}/pause', { params }),
    );
    if (isDone) onChanged();
  };
  return (
    <span class="row-actions">
      <button type="button" class="button" disabled={action.isBusy} onClick={() => void change()}>
        {t(isPaused ? 'resume' : 'pause')}
      </button>
      <ConfirmButton
        title={campaign('stopTitle')}
        text={campaign('stopHint')}
        actionTitle={t('stop')}
        act={async () => {
          await api.POST('/api/v1/bots/{botId}/sends/{sendId}/stop', { params });
          onChanged();
        }}
        isDangerous
      >
        {t('stop')}
      </ConfirmButton>
      {action.error && <ErrorNote error={action.error} />}
    </span>
  );
}
