/** The bot's tags with their current number of contacts. */
import { resource, type Schema } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { Barred } from '../../components/bar-list.tsx';
import { Card } from '../../components/card.tsx';
import { CsvButton } from '../../components/csv-button.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Empty } from '../../components/states.tsx';
import { number } from '../../format/format.ts';
import { t } from '../../texts/audience.ts';

type Tag = Schema['Tag'];

/** The largest page that the API returns. */
const limit = 200;

export function Tags({ botId }: { botId: string }) {
  const pages = usePages(
    (cursor) => resource('/api/v1/bots/{botId}/tags', { path: { botId }, query: { limit, cursor } }),
    ({ tags }) => tags,
  );
  const most = Math.max(1, ...pages.rows.map(({ carriers }) => carriers));
  return (
    <Card
      title={t('tags')}
      note={t('tagsNote')}
      actions={
        pages.rows.length > 0 && (
          <CsvButton title={t('tags')} fileName="tags" rows={() => [csvHead(), ...pages.rows.map(csvRow)]} />
        )
      }
    >
      <DataTable<Tag>
        caption={t('tags')}
        rows={pages.rows}
        pages={pages}
        keyOf={({ tagId }) => tagId}
        startOrder={{ key: 'carriers', isDown: true }}
        empty={<Empty title={t('noTags')}>{t('noTagsHint')}</Empty>}
        columns={[
          { key: 'name', title: t('tag'), cell: ({ name }) => name, sortBy: ({ name }) => name },
          { key: 'kind', title: t('kind'), cell: ({ kind }) => t(kind), sortBy: ({ kind }) => t(kind) },
          {
            key: 'carriers',
            title: t('carriers'),
            isNumber: true,
            cell: ({ carriers }) => <Barred share={carriers / most}>{number(carriers)}</Barred>,
            sortBy: ({ carriers }) => carriers,
          },
        ]}
      />
    </Card>
  );
}

function csvHead(): string[] {
  return [t('tag'), t('kind'), t('carriers')];
}

function csvRow({ name, kind, carriers }: Tag): (string | number)[] {
  return [name, t(kind), carriers];
}
