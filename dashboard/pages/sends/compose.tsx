/** A new message to contacts: compose it, see whom it reaches, and send it. More than 100 recipients need a confirmation. */
import { useState } from 'preact/hooks';
import { useAction, useKey } from '../../api/action.ts';
import { api, bodyOf, resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { CheckField, SelectField, TextAreaField, TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { number, unknown, zoneName } from '../../format/format.ts';
import { type PlatformName, platformNames, platformTitle } from '../../format/platforms.ts';
import type { PageProps } from '../../state/bots.ts';
import { t } from '../../texts/sends.ts';

type Props = PageProps & { onClose(): void };
type NewSend = Schema['NewSend'];
type Preview = Schema['SendPreview'];

const confirmedAbove = 100;

export function Compose({ bot, onClose }: Props) {
  const [draft, setDraft] = useState<Draft>(emptyDraft);
  const [preview, setPreview] = useState<Preview | null>(null);
  if (preview !== null) return <Confirm {...{ bot, draft, preview, onClose }} />;
  return <Write {...{ bot, draft, setDraft, onClose }} onPreview={setPreview} />;
}

type Draft = {
  name: string;
  platform: PlatformName;
  text: string;
  template: string;
  contactTag: string;
  messageTag: string;
  startAt: string;
  isSaved: boolean;
};

const emptyDraft: Draft = {
  ...{ name: '', platform: 'line', text: '', template: '', contactTag: '', messageTag: '', startAt: '' },
  isSaved: false,
};

function Write({
  bot,
  draft,
  setDraft,
  onPreview,
  onClose,
}: Props & { draft: Draft; setDraft(draft: Draft): void; onPreview(preview: Preview): void }) {
  const path = { botId: bot.botId };
  const channels = useLive(resource('/api/v1/bots/{botId}/channels', { path }), { everyMs: 0 });
  const templates = useLive(resource('/api/v1/bots/{botId}/message-templates', { path }), { everyMs: 0 });
  const action = useAction();
  const enabled = channels.value?.channels.filter(({ enabled }) => enabled).map(({ platform }) => platform);
  const platforms = platformNames.filter((name) => enabled === undefined || enabled.includes(name));
  const platform = platforms.includes(draft.platform) ? draft.platform : (platforms[0] ?? 'line');
  const change = (changes: Partial<Draft>) => setDraft({ ...draft, platform, ...changes });
  const submit = async (): Promise<void> => {
    change({});
    const { contactTag } = draft;
    await action.run(async () => {
      const body = { platform, filter: contactTag === '' ? {} : { tag: contactTag } };
      onPreview(await bodyOf(api.POST('/api/v1/bots/{botId}/sends/preview', { params: { path }, body })));
    });
  };
  return (
    <FormDialog
      title={t('newSend')}
      submit={t('preview')}
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <TextField
        label={t('name')}
        value={draft.name}
        onValue={(name) => change({ name })}
        required
        maxLength={200}
      />
      <SelectField
        label={t('platform')}
        value={platform}
        onValue={(chosen) => change({ platform: chosen })}
        choices={platforms.map((value) => ({ value, title: platformTitle(value) }))}
      />
      <SelectField
        label={t('template')}
        value={draft.template}
        onValue={(template) => change({ template })}
        choices={[
          { value: '', title: t('noTemplate') },
          ...(templates.value?.templates ?? []).map(({ templateId, name }) => ({
            value: templateId,
            title: name,
          })),
        ]}
      />
      {draft.template === '' && (
        <>
          <TextAreaField
            label={t('text')}
            hint={t('textHint', { variable: '{{name}}' })}
            rows={4}
            value={draft.text}
            onValue={(text) => change({ text })}
          />
          <CheckField
            label={t('saveTemplate')}
            isOn={draft.isSaved}
            onChange={(isSaved) => change({ isSaved })}
          />
        </>
      )}
      <TextField
        label={t('onlyTag')}
        hint={t('onlyTagHint')}
        value={draft.contactTag}
        onValue={(contactTag) => change({ contactTag })}
      />
      {platform === 'facebook' && (
        <TextField
          label={t('messageTag')}
          placeholder="ACCOUNT_UPDATE"
          value={draft.messageTag}
          onValue={(messageTag) => change({ messageTag })}
        />
      )}
      <TextField
        label={t('startAt')}
        hint={t('startAtHint', { zone: zoneName(bot.timeZone, Date.now()) })}
        type="datetime-local"
        value={draft.startAt}
        onValue={(startAt) => change({ startAt })}
      />
    </FormDialog>
  );
}

function Confirm({ bot, draft, preview, onClose }: Props & { draft: Draft; preview: Preview }) {
  const [isConfirmed, setConfirmed] = useState(false);
  const key = useKey();
  const action = useAction();
  const path = { botId: bot.botId };
  const { recipients, blocked, quota } = preview;
  const needsConfirmation = recipients > confirmedAbove;
  const submit = async (): Promise<void> => {
    if (recipients === 0 || (needsConfirmation && !isConfirmed)) return;
    const isSent = await action.run(async () => {
      const { name, text } = draft;
      if (draft.isSaved && draft.template === '')
        await api.POST('/api/v1/bots/{botId}/message-templates', { params: { path }, body: { name, text } });
      const params = { path, header: { 'Idempotency-Key': key } };
      await api.POST('/api/v1/bots/{botId}/sends', { params, body: sendOf(draft) });
    });
    if (isSent) onClose();
  };
  return (
    <FormDialog
      title={t('previewTitle')}
      submit={t('sendNow')}
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>{t('reaches', { count: recipients })}</p>
      {blocked > 0 && <p>{t('leavesOut', { count: blocked })}</p>}
      {quota && (
        <p>{t('quotaAfter', { remaining: quota.remaining === null ? unknown : number(quota.remaining) })}</p>
      )}
      {needsConfirmation && (
        <CheckField
          label={t('confirmMany', { count: recipients })}
          isOn={isConfirmed}
          onChange={setConfirmed}
        />
      )}
    </FormDialog>
  );
}

function sendOf({ name, platform, text, template, contactTag, messageTag, startAt }: Draft): NewSend {
  return {
    ...{ name, platform, filter: contactTag === '' ? {} : { tag: contactTag } },
    ...(template === '' ? { message: { text } } : { templateId: template }),
    ...(platform === 'facebook' && messageTag !== '' ? { tag: messageTag } : {}),
    ...(startAt === '' ? {} : { startAt: startAt.slice(0, 16) }),
  };
}
