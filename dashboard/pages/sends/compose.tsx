/** A new message to contacts: compose it, see whom it reaches, and send it. */
import { useState } from 'preact/hooks';
import { useAction, useKey } from '../../api/action.ts';
import { api, bodyOf, resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { CheckField, SelectField, TextAreaField, TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { MessageFields } from '../../components/message-fields.tsx';
import { ZoneField } from '../../components/zone-field.tsx';
import { platformNames, platformTitle } from '../../format/platforms.ts';
import type { PageProps } from '../../state/bots.ts';
import { t } from '../../texts/compose.ts';
import { t as frame } from '../../texts/frame.ts';
import { ConfirmSend } from './confirm-send.tsx';
import { audienceOf, type Draft, emptyDraft, isHalfQuiet } from './draft.ts';

type Props = PageProps & { onClose(): void };
type Preview = Schema['SendPreview'];

export function Compose({ bot, onClose }: Props) {
  const [draft, setDraft] = useState(() => emptyDraft(bot.timeZone));
  const [preview, setPreview] = useState<Preview | null>(null);
  // One for all attempts, also after changes: an attempt whose answer was lost may have created the message.
  const idempotencyKey = useKey();
  if (preview === null) return <Write {...{ bot, draft, setDraft, onClose }} onPreview={setPreview} />;
  return (
    <ConfirmSend {...{ bot, draft, preview, idempotencyKey, onClose }} onChange={() => setPreview(null)} />
  );
}

type WriteProps = Props & { draft: Draft; setDraft(draft: Draft): void; onPreview(preview: Preview): void };

function Write({ bot, draft: stored, setDraft, onPreview, onClose }: WriteProps) {
  const path = { botId: bot.botId };
  const channels = useLive(resource('/api/v1/bots/{botId}/channels', { path }), { everyMs: 0 });
  const templates = useLive(resource('/api/v1/bots/{botId}/message-templates', { path }), { everyMs: 0 });
  const [isTried, setTried] = useState(false);
  const action = useAction();
  const enabled = channels.value?.channels.filter(({ enabled }) => enabled).map(({ platform }) => platform);
  const platforms = platformNames.filter((name) => enabled === undefined || enabled.includes(name));
  const platform = platforms.includes(stored.platform) ? stored.platform : (platforms[0] ?? 'line');
  const draft = { ...stored, platform };
  const change = (changes: Partial<Draft>) => setDraft({ ...draft, ...changes });
  const submit = async (): Promise<void> => {
    setTried(true);
    if (draft.name.trim() === '' || isHalfQuiet(draft)) return;
    setDraft(draft);
    await action.run(async () => {
      const body = audienceOf(draft);
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
        hint={t('nameHint')}
        value={draft.name}
        onValue={(name) => change({ name })}
        required
        maxLength={200}
        error={isTried && draft.name.trim() === '' ? frame('required') : null}
      />
      <SelectField
        label={t('platform')}
        value={platform}
        onValue={(chosen) => change({ platform: chosen })}
        choices={platforms.map((value) => ({ value, title: platformTitle(value) }))}
      />
      <SelectField
        label={t('template')}
        value={draft.templateId}
        onValue={(templateId: string) => change({ templateId })}
        choices={[
          { value: '', title: t('noTemplate') },
          ...(templates.value?.templates ?? []).map(({ templateId, name }) => ({
            value: templateId,
            title: name,
          })),
        ]}
      />
      {draft.templateId === '' && (
        <>
          <MessageFields
            botId={bot.botId}
            platform={platform}
            draft={draft.message}
            change={(changes) => change({ message: { ...draft.message, ...changes } })}
          />
          <CheckField
            label={t('saveTemplate')}
            isOn={draft.isSaved}
            onChange={(isSaved) => change({ isSaved })}
          />
        </>
      )}
      {platform === 'facebook' && (
        <TextField
          label={t('messageTag')}
          hint={t('messageTagHint')}
          placeholder="ACCOUNT_UPDATE"
          value={draft.messageTag}
          onValue={(messageTag) => change({ messageTag })}
        />
      )}
      <Audience draft={draft} change={change} />
      <Schedule draft={draft} change={change} isTried={isTried} />
    </FormDialog>
  );
}

type PartProps = { draft: Draft; change(changes: Partial<Draft>): void };

const audiences = ['filter', 'named'] as const;

function Audience({ draft, change }: PartProps) {
  const { to, filter, contacts } = draft;
  const field = (name: keyof Draft['filter']) => ({
    value: filter[name],
    onValue: (value: string) => change({ filter: { ...filter, [name]: value } }),
  });
  return (
    <>
      <SelectField
        label={t('to')}
        {...(to === 'filter' ? { hint: t('filterHint') } : {})}
        value={to}
        onValue={(chosen) => change({ to: chosen })}
        choices={audiences.map((value) => ({ value, title: t(`to-${value}`) }))}
      />
      {to === 'named' ? (
        <TextAreaField
          label={t('contacts')}
          hint={t('contactsHint')}
          rows={4}
          value={contacts}
          onValue={(value) => change({ contacts: value })}
        />
      ) : (
        <div class="sub-form">
          <TextField label={t('onlyTag')} {...field('tag')} />
          <TextField label={t('contactName')} {...field('name')} />
          <TextField label={t('customerId')} {...field('customerId')} />
          <div class="field-row">
            <TextField type="date" label={t('createdFrom')} {...field('createdFrom')} />
            <TextField type="date" label={t('createdTo')} {...field('createdTo')} />
          </div>
        </div>
      )}
    </>
  );
}

function Schedule({ draft, change, isTried }: PartProps & { isTried: boolean }) {
  const { startAt, zone, quietFrom, quietUntil } = draft;
  return (
    <>
      <TextField
        label={t('startAt')}
        hint={t('startAtHint')}
        type="datetime-local"
        value={startAt}
        onValue={(value) => change({ startAt: value })}
      />
      <div class="field-row">
        <TextField
          type="time"
          label={t('quietFrom')}
          value={quietFrom}
          onValue={(value) => change({ quietFrom: value })}
          error={isTried && isHalfQuiet(draft) ? t('bothTimes') : null}
        />
        <TextField
          type="time"
          label={t('quietUntil')}
          value={quietUntil}
          onValue={(value) => change({ quietUntil: value })}
        />
      </div>
      <p class="note">{t('quietHint')}</p>
      <ZoneField value={zone} onValue={(value) => change({ zone: value })} />
    </>
  );
}
