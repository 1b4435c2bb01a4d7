/** The tags of a contact: add and remove. */
import { useEffect, useState } from 'preact/hooks';
import { type Action, useAction } from '../../api/action.ts';
import { api, resource, type Schema } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { Empty, ErrorNote } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime, number } from '../../format/format.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/contact.ts';
import { t as list } from '../../texts/contacts.ts';
import type { CarriedTag, ContactCardProps } from './contact.ts';

type Tag = Schema['Tag'];

export function TagsCard(props: ContactCardProps) {
  const { bot, contact, onChanged } = props;
  const [isOpen, setOpen] = useState(false);
  const action = useAction();
  const removeTag = async (tag: CarriedTag): Promise<void> => {
    if (!(await change(action, props, 'unassign', tag))) return;
    showToast(t('tagRemoved', { tag: tag.name }));
    onChanged();
  };
  return (
    <Card
      title={list('tags')}
      actions={
        may('write') && (
          <button type="button" class="button" onClick={() => setOpen(true)}>
            {t('assignTag')}
          </button>
        )
      }
    >
      {action.error && <ErrorNote error={action.error} />}
      {contact.tags.length === 0 ? (
        <Empty title={t('noTags')} />
      ) : (
        <ul class="carried-tags">
          {contact.tags.map((tag) => (
            <li key={tag.tagId}>
              <span class="carried-tag">
                <strong>{tag.name}</strong>
                <span class="note">
                  {t(tag.kind)} · {t('since', { at: dateTime(tag.since, bot.timeZone) })}
                  {tag.endsAt !== null && ` · ${t('endsAt', { at: dateTime(tag.endsAt, bot.timeZone) })}`}
                </span>
              </span>
              {may('write') && (
                <button
                  type="button"
                  class="button button-quiet"
                  aria-label={t('removeTag', { tag: tag.name })}
                  title={t('removeTag', { tag: tag.name })}
                  disabled={action.isBusy}
                  onClick={() => void removeTag(tag)}
                >
                  <Icon name="close" />
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {isOpen && <AssignDialog {...props} onClose={() => setOpen(false)} />}
    </Card>
  );
}

const typingMs = 250;

function AssignDialog({ onClose, ...props }: ContactCardProps & { onClose(): void }) {
  const { bot, contact, onChanged } = props;
  const [typed, setTyped] = useState('');
  const [name, setName] = useState('');
  const action = useAction();
  useEffect(() => {
    const timer = setTimeout(() => setName(typed.trim()), typingMs);
    return () => clearTimeout(timer);
  }, [typed]);
  const pages = usePages(
    (cursor) =>
      resource('/api/v1/bots/{botId}/tags', {
        path: { botId: bot.botId },
        query: { name: name || undefined, cursor },
      }),
    ({ tags }) => tags,
  );
  const addTag = async (tag: Tag): Promise<void> => {
    if (!(await change(action, props, 'assign', tag))) return;
    showToast(t('tagAdded', { tag: tag.name }));
    onChanged();
    onClose();
  };
  const hasTag = ({ tagId }: Tag): boolean => contact.tags.some((tag) => tag.tagId === tagId);
  return (
    <Dialog title={t('assignTag')} onClose={onClose}>
      <div class="form">
        <TextField
          type="search"
          label={t('tagName')}
          value={typed}
          onValue={setTyped}
          autoComplete="off"
          maxLength={100}
        />
        {action.error && <ErrorNote error={action.error} />}
        <DataTable
          caption={list('tags')}
          rows={pages.rows}
          pages={pages}
          keyOf={({ tagId }) => tagId}
          empty={<Empty title={t('noSuchTag')}>{t('noSuchTagHint')}</Empty>}
          columns={[
            { key: 'name', title: list('tag'), cell: (tag) => tag.name },
            { key: 'kind', title: t('tagKind'), cell: ({ kind }) => t(kind) },
            {
              key: 'carriers',
              title: t('carriers'),
              isNumber: true,
              cell: ({ carriers }) => number(carriers),
            },
            {
              key: 'assign',
              title: t('assign'),
              cell: (tag) =>
                hasTag(tag) ? (
                  <span class="note">{t('carried')}</span>
                ) : (
                  <button
                    type="button"
                    class="button"
                    aria-label={t('assignNamed', { tag: tag.name })}
                    disabled={action.isBusy}
                    onClick={() => void addTag(tag)}
                  >
                    {t('assign')}
                  </button>
                ),
            },
          ]}
        />
      </div>
    </Dialog>
  );
}

function change(
  action: Action,
  { bot, contact }: ContactCardProps,
  operation: 'assign' | 'unassign',
  { tagId }: Pick<Tag, 'tagId'>,
): Promise<boolean> {
  const init = {
    params: { path: { botId: bot.botId, tagId } },
    body: { contacts: [contact.contactId] },
  };
  return action.run(() =>
    operation === 'assign'
      ? api.POST('/api/v1/bots/{botId}/tags/{tagId}/assign', init)
      : api.POST('/api/v1/bots/{botId}/tags/{tagId}/unassign', init),
  );
}
