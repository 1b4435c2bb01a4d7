/**
 * Messages to many contacts (or one of them: `?send=ID`), and sends on LINE with delivered, opened and clicked. An unknown figure
 * shows the reason, never 0.
 */
import { lineZone } from '../../../src/time.ts';
import { resource, type Schema } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { PageFrame } from '../../components/page.tsx';
import { RangeNote, RangePicker, useRange } from '../../components/range-picker.tsx';
import { Segments } from '../../components/segments.tsx';
import { Empty } from '../../components/states.tsx';
import { zoneName } from '../../format/format.ts';
import { useAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/sends.ts';
import { Campaign } from './campaign.tsx';
import { Campaigns } from './campaigns.tsx';
import { columnsOf } from './columns.tsx';
import { Compared } from './compared.tsx';
import type { Send } from './send.ts';

/** The kinds with figures per send from LINE. */
const reportedKinds: Schema['SendKind'][] = ['broadcast', 'narrowcast'];
type KindFilter = 'reported' | 'all';

export default function SendsPage({ bot }: PageProps) {
  const { send = '' } = useAddress().query;
  if (!/^[0-9]{1,15}$/.test(send)) return <SendList bot={bot} />;
  return <Campaign key={send} bot={bot} sendId={Number(send)} />;
}

function SendList({ bot }: PageProps) {
  const range = useRange(lineZone);
  const { query, setQuery } = useAddress();
  const filter: KindFilter = query.kinds === 'all' ? 'all' : 'reported';
  const { from, to } = range;
  const kinds = filter === 'reported' ? reportedKinds : undefined;
  const pages = usePages(
    (cursor) =>
      resource('/api/v1/bots/{botId}/line/sends', {
        path: { botId: bot.botId },
        query: { from, to, kinds, cursor },
      }),
    ({ sends }) => sends,
  );
  const reportedSends = pages.rows.filter(({ delivered }) => delivered !== null);
  return (
    <PageFrame
      title={frame('sends')}
      note={
        <>
          <RangeNote range={range} zone={lineZone} />{' '}
          {t('times', { zone: zoneName(bot.timeZone, Date.now()) })}
        </>
      }
      actions={<RangePicker bot={bot} zone={lineZone} />}
    >
      <Campaigns bot={bot} />
      {reportedSends.length > 0 && (
        <Compared sends={reportedSends} zone={bot.timeZone} fileName={`line-sends-${from}-${to}`} />
      )}
      <Card
        title={t('list')}
        note={t('listNote')}
        actions={
          <Segments
            label={t('kinds')}
            value={filter}
            onChange={(chosen: KindFilter) => setQuery({ kinds: chosen === 'all' ? 'all' : null })}
            choices={[
              { value: 'reported', title: t('broadcasts') },
              { value: 'all', title: t('allKinds') },
            ]}
          />
        }
      >
        <DataTable<Send>
          caption={t('list')}
          rows={pages.rows}
          pages={pages}
          keyOf={({ requestId }) => requestId}
          empty={<Empty title={t('noSends')}>{t('noSendsHint')}</Empty>}
          columns={columnsOf(bot.timeZone, Date.now())}
        />
      </Card>
    </PageFrame>
  );
}
