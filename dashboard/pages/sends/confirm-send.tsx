/** The last step of a new message: whom it reaches, the quota, and a confirmation above 100 recipients. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { attempt } from '../../api/attempt.ts';
import { api, resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { CheckField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { showToast } from '../../components/toast.tsx';
import { number, unknown, zoneName } from '../../format/format.ts';
import { platformTitle } from '../../format/platforms.ts';
import type { PageProps } from '../../state/bots.ts';
import { t } from '../../texts/compose.ts';
import { type Draft, sendOf } from './draft.ts';

type Props = PageProps & {
  draft: Draft;
  preview: Schema['SendPreview'];
  /** The Idempotency-Key of the composed message. */
  idempotencyKey: string;
  /** Back to the form. */
  onChange(): void;
  onClose(): void;
};

const confirmedAbove = 100;

export function ConfirmSend({ bot, draft, preview, idempotencyKey, onChange, onClose }: Props) {
  const [isConfirmed, setConfirmed] = useState(false);
  const [isTried, setTried] = useState(false);
  const action = useAction();
  const path = { botId: bot.botId };
  const { recipients } = preview;
  const needsConfirmation = recipients > confirmedAbove && !isConfirmed;
  const submit = async (): Promise<void> => {
    setTried(true);
    if (recipients === 0 || needsConfirmation) return;
    const body = sendOf(draft);
    const { name } = body;
    const params = { path, header: { 'Idempotency-Key': idempotencyKey } };
    if (!(await action.run(() => api.POST('/api/v1/bots/{botId}/sends', { params, body })))) return;
    if (draft.isSaved && body.message) {
      const template = { name, ...body.message };
      await attempt(
        async () => {
          await api.POST('/api/v1/bots/{botId}/message-templates', { params: { path }, body: template });
        },
        ({ message }) => showToast(t('notSaved', { problem: message }), 'failed'),
      );
    }
    showToast(t('created', { name }));
    onClose();
  };
  return (
    <FormDialog
      title={t('previewTitle')}
      submit={t('sendNow')}
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <Summary bot={bot} draft={draft} preview={preview} />
      {recipients > confirmedAbove && (
        <CheckField
          label={t('confirmMany', { count: recipients })}
          isOn={isConfirmed}
          onChange={setConfirmed}
        />
      )}
      {isTried && needsConfirmation && (
        <p class="field-error" role="alert">
          {t('confirmFirst')}
        </p>
      )}
      <button type="button" class="button" onClick={onChange}>
        {t('change')}
      </button>
    </FormDialog>
  );
}

function Summary({ bot, draft, preview }: Pick<Props, 'bot' | 'draft' | 'preview'>) {
  const { recipients, blocked, unknownContacts } = preview;
  const { platform, startAt, zone, quietFrom, quietUntil } = draft;
  const text = useText(bot.botId, draft);
  const zoneText = zoneName(zone, Date.now());
  return (
    <>
      <p>
        <strong>{platformTitle(platform)}</strong> ·{' '}
        {recipients === 0 ? t('reachesNone') : t('reaches', { count: recipients })}
      </p>
      {blocked > 0 && <p>{t('leavesOut', { count: blocked })}</p>}
      {unknownContacts > 0 && <p>{t('unknownIds', { count: unknownContacts })}</p>}
      <Quota quota={preview.quota} />
      {text && <p class="message-content sub-form">{text}</p>}
      <p class="note">
        {t('startsAt', { at: startAt === '' ? t('now') : `${startAt.replace('T', ' ')}, ${zoneText}` })}{' '}
        {quietFrom !== '' && t('quiet', { from: quietFrom, until: `${quietUntil}, ${zoneText}` })}
      </p>
    </>
  );
}

/** The text that is sent: the template's on the platform, or the written one. */
function useText(botId: string, { platform, templateId, message }: Draft): string | null {
  const path = { botId };
  const isSaved = templateId !== '';
  const live = useLive(isSaved ? resource('/api/v1/bots/{botId}/message-templates', { path }) : null, {
    everyMs: 0,
  });
  if (!isSaved) return message.text;
  const template = live.value?.templates.find((one) => one.templateId === templateId);
  return template?.platforms[platform]?.text ?? template?.text ?? null;
}

function Quota({ quota }: Pick<Schema['SendPreview'], 'quota'>) {
  if (quota === null) return null;
  const { remaining } = quota;
  if (remaining !== null && remaining < 0)
    return <p class="notice">{t('quotaShort', { missing: number(-remaining) })}</p>;
  return <p>{t('quotaAfter', { remaining: remaining === null ? unknown : number(remaining) })}</p>;
}
