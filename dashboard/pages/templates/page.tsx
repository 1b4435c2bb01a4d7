/** The message templates: saved messages for sends, and the agents' saved replies. */
import { useState } from 'preact/hooks';
import { api, resource } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { PageFrame } from '../../components/page.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime, unknown } from '../../format/format.ts';
import { platformNames, platformTitle } from '../../format/platforms.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t as frame } from '../../texts/frame.ts';
import { t as message } from '../../texts/message.ts';
import { t } from '../../texts/templates.ts';
import type { Template } from './draft.ts';
import { TemplateEditor } from './editor.tsx';
import { WhatsAppFigures } from './whatsapp-figures.tsx';

export default function TemplatesPage({ bot }: PageProps) {
  const [edited, setEdited] = useState<Template | 'new' | null>(null);
  const path = { botId: bot.botId };
  const live = useLive(resource('/api/v1/bots/{botId}/message-templates', { path }));
  const newButton = may('write') && (
    <button type="button" class="button button-main" onClick={() => setEdited('new')}>
      {t('newTemplate')}
    </button>
  );
  return (
    <PageFrame title={frame('templates')} actions={newButton}>
      <Card title={frame('templates')} note={t('listNote')}>
        <Loaded live={live}>
          {({ templates }) => (
            <DataTable<Template>
              caption={frame('templates')}
              rows={templates}
              keyOf={({ templateId }) => templateId}
              empty={<Empty title={t('noTemplates')}>{t('noTemplatesHint')}</Empty>}
              columns={columnsOf(bot, { edit: setEdited, onChanged: live.reload })}
            />
          )}
        </Loaded>
      </Card>
      <WhatsAppFigures bot={bot} />
      {edited !== null && (
        <TemplateEditor
          bot={bot}
          template={edited === 'new' ? null : edited}
          onClose={() => setEdited(null)}
          onSaved={() => {
            setEdited(null);
            live.reload();
          }}
        />
      )}
    </PageFrame>
  );
}

function columnsOf(
  { botId, timeZone }: PageProps['bot'],
  { edit, onChanged }: { edit(template: Template): void; onChanged(): void },
): Column<Template>[] {
  const columns: Column<Template>[] = [
    { key: 'name', title: t('name'), cell: ({ name }) => name, sortBy: ({ name }) => name },
    { key: 'message', title: t('message'), cell: (template) => <Content template={template} /> },
    {
      key: 'platforms',
      title: t('ownTexts'),
      cell: ({ platforms }) => {
        const own = platformNames.filter((platform) => platforms[platform] !== undefined);
        return own.length === 0 ? unknown : own.map(platformTitle).join(', ');
      },
    },
    {
      key: 'changed',
      title: t('changed'),
      cell: ({ updatedAt }) => dateTime(updatedAt, timeZone),
      sortBy: ({ updatedAt }) => updatedAt,
    },
  ];
  const remove = async ({ templateId, name }: Template): Promise<void> => {
    await api.DELETE('/api/v1/bots/{botId}/message-templates/{templateId}', {
      params: { path: { botId, templateId } },
    });
    showToast(t('removed', { name }));
    onChanged();
  };
  const actions: Column<Template> = {
    key: 'actions',
    title: t('actions'),
    cell: (template) => (
      <span class="row-actions">
        <button
          type="button"
          class="button"
          aria-label={t('editNamed', { name: template.name })}
          onClick={() => edit(template)}
        >
          {t('edit')}
        </button>
        <ConfirmButton
          title={t('removeNamed', { name: template.name })}
          text={t('removeHint')}
          actionTitle={t('remove')}
          act={() => remove(template)}
          isDangerous
        >
          {t('remove')}
        </ConfirmButton>
      </span>
    ),
  };
  return may('write') ? [...columns, actions] : columns;
}

function Content({ template: { text, quickReplies, whatsAppTemplate } }: { template: Template }) {
  return (
    <span class="message-content">
      {text}
      {quickReplies.length > 0 && (
        <span class="below">
          {message('quickReplies')}: {quickReplies.join(' · ')}
        </span>
      )}
      {whatsAppTemplate !== null && (
        <span class="below">
          {message('whatsApp')}: {whatsAppTemplate.name} ({whatsAppTemplate.language})
        </span>
      )}
    </span>
  );
}
