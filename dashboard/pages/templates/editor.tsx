/** Creates or changes a message template. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api } from '../../api/client.ts';
import { CopyField } from '../../components/copy-field.tsx';
import { CheckField, TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { MessageFields, MessageText, Replies, textMaxOf } from '../../components/message-fields.tsx';
import { showToast } from '../../components/toast.tsx';
import { type PlatformName, platformNames, platformTitle } from '../../format/platforms.ts';
import type { PageProps } from '../../state/bots.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/templates.ts';
import { bodyOfDraft, draftOf, type Template, type Variant } from './draft.ts';

type Props = PageProps & {
  /** Null: a new one. */
  template: Template | null;
  onClose(): void;
  onSaved(): void;
};

export function TemplateEditor({ bot, template, onClose, onSaved }: Props) {
  const [draft, setDraft] = useState(() => draftOf(template));
  const [isTried, setTried] = useState(false);
  const action = useAction();
  const path = { botId: bot.botId };
  const submit = async (): Promise<void> => {
    setTried(true);
    if (draft.name.trim() === '') return;
    const body = bodyOfDraft(draft);
    const isSaved = await action.run(() =>
      template === null
        ? api.POST('/api/v1/bots/{botId}/message-templates', { params: { path }, body })
        : api.PUT('/api/v1/bots/{botId}/message-templates/{templateId}', {
            params: { path: { ...path, templateId: template.templateId } },
            body,
          }),
    );
    if (!isSaved) return;
    showToast(t('saved', { name: body.name }));
    onSaved();
  };
  return (
    <FormDialog
      title={t(template === null ? 'newTemplate' : 'editTemplate')}
      submit={frame('save')}
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <TextField
        label={t('name')}
        value={draft.name}
        onValue={(name) => setDraft({ ...draft, name })}
        required
        maxLength={200}
        error={isTried && draft.name.trim() === '' ? frame('required') : null}
      />
      <MessageFields
        botId={bot.botId}
        platform={null}
        draft={draft.message}
        change={(changes) => setDraft({ ...draft, message: { ...draft.message, ...changes } })}
      />
      <details class="sub-form">
        <summary>{t('forPlatforms')}</summary>
        <p class="note">{t('forPlatformsHint')}</p>
        {platformNames.map((platform) => (
          <VariantFields
            key={platform}
            platform={platform}
            variant={draft.variants[platform]}
            change={(variant) => setDraft({ ...draft, variants: { ...draft.variants, [platform]: variant } })}
          />
        ))}
      </details>
      {template !== null && <CopyField label={t('id')} value={template.templateId} />}
    </FormDialog>
  );
}

type VariantProps = { platform: PlatformName; variant: Variant; change(variant: Variant): void };

function VariantFields({ platform, variant, change }: VariantProps) {
  const { text, quickReplies } = variant;
  const name = platformTitle(platform);
  return (
    <>
      <MessageText
        label={t('textOf', { platform: name })}
        value={text}
        max={textMaxOf(platform, quickReplies ?? [])}
        onValue={(changed) => change({ ...variant, text: changed })}
      />
      <CheckField
        label={t('ownReplies', { platform: name })}
        isOn={quickReplies !== null}
        onChange={(isOn) => change({ ...variant, quickReplies: isOn ? [] : null })}
      />
      {quickReplies !== null && (
        <Replies
          platform={platform}
          replies={quickReplies}
          change={(replies) => change({ ...variant, quickReplies: replies })}
        />
      )}
    </>
  );
}
