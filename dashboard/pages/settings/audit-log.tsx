/** The audit log: changes by users, programs and commands, with the members before and after. */
import { useState } from 'preact/hooks';
import { resource, type Schema, urlOf } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { Card } from '../../components/card.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { SelectField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { Empty } from '../../components/states.tsx';
import { dateTime } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { t } from '../../texts/audit-log.ts';

type Entry = Schema['AuditEntry'];
type Origin = Schema['AuditOrigin'];
type SubjectKind = Schema['AuditSubjectKind'];

const origins: readonly Origin[] = ['dashboard', 'api', 'command'];
const subjectKinds: readonly SubjectKind[] = [
  ...([
    'bot',
    'channel',
    'lineToken',
    'callback',
    'tag',
    'template',
    'gift',
    'alertRule',
    'mailReport',
    'adminToken',
    'invitation',
    'user',
  ] as const),
];

export function AuditLog({ bot }: PageProps) {
  const [bots, setBots] = useState<'' | 'this'>('');
  const [origin, setOrigin] = useState<Origin | ''>('');
  const [subjectKind, setSubjectKind] = useState<SubjectKind | ''>('');
  const query = {
    botId: bots === '' ? undefined : bot.botId,
    origin: origin || undefined,
    subjectKind: subjectKind || undefined,
  };
  const pages = usePages(
    (cursor) => resource('/api/v1/audit-log', { query: { ...query, cursor } }),
    ({ entries }) => entries,
  );
  const all = { value: '' as const, title: t('all') };
  return (
    <Card
      title={t('auditLog')}
      note={t('auditLogNote')}
      actions={(['csv', 'ndjson'] as const).map((format) => (
        <a
          key={format}
          class="button"
          href={urlOf('/api/v1/audit-log/export', { query: { ...query, format } })}
          download=""
        >
          <Icon name="download" />
          {format.toUpperCase()}
        </a>
      ))}
    >
      <div class="audit-filters">
        <SelectField
          label={t('ofBot')}
          value={bots}
          onValue={setBots}
          choices={[all, { value: 'this', title: t('thisBot') }]}
        />
        <SelectField
          label={t('origin')}
          value={origin}
          onValue={setOrigin}
          choices={[all, ...origins.map((value) => ({ value, title: t(value) }))]}
        />
        <SelectField
          label={t('subject')}
          value={subjectKind}
          onValue={setSubjectKind}
          choices={[all, ...subjectKinds.map((value) => ({ value, title: t(value) }))]}
        />
      </div>
      <DataTable<Entry>
        caption={t('auditLog')}
        rows={pages.rows}
        keyOf={({ entryId }) => String(entryId)}
        pages={pages}
        empty={<Empty title={t('noEntries')} />}
        columns={columnsOf(bot.timeZone)}
      />
    </Card>
  );
}

function columnsOf(zone: string): Column<Entry>[] {
  return [
    { key: 'at', title: t('when'), cell: ({ happenedAt }) => dateTime(happenedAt, zone) },
    {
      key: 'who',
      title: t('who'),
      cell: ({ actor, address }) => (
        <>
          {actor.name || (actor.kind === 'link' ? t('link') : actor.id)}
          {address !== null && <div class="note">{address}</div>}
        </>
      ),
    },
    { key: 'origin', title: t('origin'), cell: ({ origin }) => t(origin) },
    { key: 'what', title: t('what'), cell: ({ operation }) => <code>{operation}</code> },
    {
      key: 'subject',
      title: t('subject'),
      cell: ({ subjectKind, subjectName, subjectId, botId }) =>
        [subjectKind && t(subjectKind), subjectName ?? subjectId ?? botId].filter(Boolean).join(' '),
    },
    { key: 'change', title: t('change'), cell: changesOf },
  ];
}

function changesOf({ before, after }: Entry) {
  const names = Object.keys({ ...before, ...after });
  return names.map((name) => (
    <div key={name}>
      {name}: {before && <del>{textOf(before[name])}</del>} {after && <ins>{textOf(after[name])}</ins>}
    </div>
  ));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
