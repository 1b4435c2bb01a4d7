/** The tags of a bot: create, rename, delete. A contact's page assigns them. */
import { useEffect, useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, resource, type Schema } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { Card } from '../../components/card.tsx';
import { Confirm } from '../../components/confirm.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { CheckField, SelectField, TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Empty } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { number, unknown } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t as audience } from '../../texts/audience.ts';
import { t } from '../../texts/data.ts';
import { t as frame } from '../../texts/frame.ts';

type Tag = Schema['Tag'];

const kinds = ['manual', 'personal', 'automatic'] as const;
const daysMax = 36_500;

/** `changes`: increases when an import may have added tags. */
export function TagList({ bot, changes }: PageProps & { changes: number }) {
  const path = { botId: bot.botId };
  const [edited, setEdited] = useState<Tag | 'new' | null>(null);
  const [deleted, setDeleted] = useState<Tag | null>(null);
  const pages = usePages(
    (cursor) => resource('/api/v1/bots/{botId}/tags', { path, query: { cursor } }),
    ({ tags }) => tags,
  );
  useEffect(() => {
    if (changes > 0) pages.reload();
  }, [changes]);
  return (
    <Card
      title={audience('tags')}
      note={t('tagsNote')}
      actions={
        may('write') && (
          <button type="button" class="button button-main" onClick={() => setEdited('new')}>
            {t('newTag')}
          </button>
        )
      }
    >
      <DataTable<Tag>
        caption={audience('tags')}
        rows={pages.rows}
        pages={pages}
        keyOf={({ tagId }) => tagId}
        empty={<Empty title={audience('noTags')} />}
        columns={columnsOf(setEdited, setDeleted)}
      />
      {edited !== null && (
        <TagDialog
          bot={bot}
          tag={edited === 'new' ? null : edited}
          onClose={() => setEdited(null)}
          onSaved={() => {
            setEdited(null);
            pages.reload();
          }}
        />
      )}
      {deleted && (
        <Confirm
          title={t('deleteNamed', { tag: deleted.name })}
          text={t('deleteAsk', { contacts: number(deleted.carriers) })}
          actionTitle={t('delete')}
          act={async () => {
            await api.DELETE('/api/v1/bots/{botId}/tags/{tagId}', {
              params: { path: { ...path, tagId: deleted.tagId } },
            });
            showToast(t('deleted', { tag: deleted.name }));
            pages.reload();
          }}
          onClose={() => setDeleted(null)}
        />
      )}
    </Card>
  );
}

function columnsOf(edit: (tag: Tag) => void, remove: (tag: Tag) => void): Column<Tag>[] {
  const columns: Column<Tag>[] = [
    { key: 'name', title: audience('tag'), cell: ({ name }) => name },
    { key: 'kind', title: audience('kind'), cell: ({ kind }) => audience(kind) },
    {
      key: 'life',
      title: t('lifeCycle'),
      cell: ({ lifeCycle }) => (lifeCycle?.active ? t('days', { count: lifeCycle.days ?? 0 }) : unknown),
    },
    {
      key: 'carriers',
      title: audience('carriers'),
      isNumber: true,
      cell: ({ carriers }) => number(carriers),
    },
  ];
  if (!may('write')) return columns;
  return [
    ...columns,
    {
      key: 'do',
      title: t('actions'),
      cell: (tag) => (
        <span class="row-actions">
          <button
            type="button"
            class="button"
            aria-label={t('editNamed', { tag: tag.name })}
            onClick={() => edit(tag)}
          >
            {t('edit')}
          </button>
          <button
            type="button"
            class="button button-danger"
            aria-label={t('deleteNamed', { tag: tag.name })}
            onClick={() => remove(tag)}
          >
            {t('delete')}
          </button>
        </span>
      ),
    },
  ];
}

type TagDialogProps = PageProps & {
  /** Null: a new one. */
  tag: Tag | null;
  onClose(): void;
  onSaved(): void;
};

function TagDialog({ bot, tag, onClose, onSaved }: TagDialogProps) {
  const [name, setName] = useState(tag?.name ?? '');
  const [kind, setKind] = useState<Tag['kind']>(tag?.kind ?? 'manual');
  const [expires, setExpires] = useState(tag?.lifeCycle?.active ?? false);
  const [days, setDays] = useState(String(tag?.lifeCycle?.days ?? ''));
  const [isTried, setTried] = useState(false);
  const action = useAction();
  const path = { botId: bot.botId };
  const isName = name.trim() !== '';
  const isDays = !expires || (/^[0-9]{1,5}$/.test(days) && Number(days) >= 1 && Number(days) <= daysMax);
  const submit = async (): Promise<void> => {
    setTried(true);
    if (!isName || !isDays) return;
    const kept = days === '' ? null : { active: expires, days: Number(days) };
    const body = { name: name.trim(), ...(kind === 'automatic' && kept && { lifeCycle: kept }) };
    const isSaved = await action.run(() =>
      tag === null
        ? api.POST('/api/v1/bots/{botId}/tags', { params: { path }, body: { ...body, kind } })
        : api.PATCH('/api/v1/bots/{botId}/tags/{tagId}', {
            params: { path: { ...path, tagId: tag.tagId } },
            body,
          }),
    );
    if (!isSaved) return;
    showToast(t('saved', { tag: body.name }));
    onSaved();
  };
  return (
    <FormDialog
      title={tag === null ? t('newTag') : t('editNamed', { tag: tag.name })}
      submit={frame('save')}
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <TextField
        label={t('name')}
        value={name}
        onValue={setName}
        required
        maxLength={100}
        error={isTried && !isName ? frame('required') : null}
        autoComplete="off"
      />
      {tag === null && (
        <SelectField
          label={audience('kind')}
          value={kind}
          onValue={setKind}
          choices={kinds.map((value) => ({ value, title: audience(value) }))}
        />
      )}
      {kind === 'automatic' && (
        <>
          <CheckField label={t('expires')} isOn={expires} onChange={setExpires} />
          {expires && (
            <TextField
              type="number"
              label={t('lifeCycleDays')}
              value={days}
              onValue={setDays}
              min={1}
              max={daysMax}
              error={isTried && !isDays ? t('daysWrong') : null}
            />
          )}
        </>
      )}
    </FormDialog>
  );
}
