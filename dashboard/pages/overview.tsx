/**
 * The overview: each figure of the bot with its change from the previous period, by platform and by day. All numbers come from one
 * answer of getOverview.
 */
import { useState } from 'preact/hooks';
import { Card } from '../components/card.tsx';
import { Chart, dayLabels } from '../components/chart.tsx';
import { Choice } from '../components/choice.tsx';
import { DataTable } from '../components/data-table.tsx';
import { NoChannels } from '../components/no-channels.tsx';
import { PageFrame } from '../components/page.tsx';
import { PlatformName } from '../components/platform-name.tsx';
import { platformSeries } from '../components/platform-series.ts';
import { PlatformSummary } from '../components/platform-summary.tsx';
import { RangeNote, RangePicker, useRange } from '../components/range-picker.tsx';
import { Change, changeOf } from '../components/stat.tsx';
import { Loaded } from '../components/states.tsx';
import { number, percent, signed, signedPercent } from '../format/format.ts';
import type { PageProps } from '../state/bots.ts';
import {
  findFigure,
  type Overview,
  type OverviewFigureName,
  type PlatformOrAll,
  platformsOf,
  useOverview,
} from '../state/overview.ts';
import { t as frame } from '../texts/frame.ts';
import { t } from '../texts/overview.ts';

type FigureName = Exclude<OverviewFigureName, 'averageConversationMessages' | 'averageConversationSeconds'>;

export default function OverviewPage({ bot }: PageProps) {
  const range = useRange(bot.timeZone);
  const live = useOverview(bot, range);
  return (
    <PageFrame
      title={frame('overview')}
      note={<RangeNote range={range} zone={bot.timeZone} />}
      actions={<RangePicker zone={bot.timeZone} />}
    >
      <Loaded live={live} shape="stats">
        {(overview) => <Content bot={bot} overview={overview} />}
      </Loaded>
    </PageFrame>
  );
}

function Content({ bot, overview }: PageProps & { overview: Overview }) {
  const platforms = platformsOf(overview);
  return (
    <>
      <PlatformSummary
        overview={overview}
        figures={summaryFigures}
        statOf={(name) => ({
          title: t(name),
          format: formatOf(name),
          good: goodOf(name),
          children: <More overview={overview} name={name} />,
        })}
      />
      {platforms.length === 0 ? (
        <NoChannels bot={bot} />
      ) : (
        <>
          <ByDay overview={overview} />
          <ByPlatform overview={overview} platforms={platforms} />
        </>
      )}
    </>
  );
}

const summaryFigures: readonly FigureName[] = [
  'followers',
  'blocks',
  'messages',
  'conversations',
  'tagCoverRate',
  'pointsOutstanding',
];

/** A note below a figure: the new ones in the range, or the parts of the sum. */
function More({ overview, name }: { overview: Overview; name: FigureName }) {
  const of = (part: FigureName): number | null => findFigure(overview, part, 'all')?.now ?? null;
  if (name === 'followers') return <Note text={t('added', { change: signed(of('newFollowers')) })} />;
  if (name === 'blocks') return <Note text={t('added', { change: signed(of('newBlocks')) })} />;
  if (name === 'tagCoverRate') return <Note text={t('tagsNow')} />;
  if (name !== 'messages') return null;
  return <Note text={t('inAndOut', { inbound: number(of('inbound')), outbound: number(of('outbound')) })} />;
}

function Note({ text }: { text: string }) {
  return <span class="note">{text}</span>;
}

const chartFigures: readonly FigureName[] = [
  'messages',
  'newFollowers',
  'newBlocks',
  'inbound',
  'outbound',
  'conversations',
  'followers',
  'blocks',
  'pointsOutstanding',
];
/** Levels are lines; daily changes are bars. */
const levels: readonly FigureName[] = ['followers', 'blocks', 'pointsOutstanding', 'tagCoverRate'];

type Parts = { overview: Overview; platforms: readonly PlatformOrAll[] };

function ByDay({ overview }: { overview: Overview }) {
  const [chosen, setChosen] = useState<FigureName>('messages');
  const available = chartFigures.filter((name) => overview.series.some(({ figure }) => figure === name));
  const figure = available.includes(chosen) ? chosen : (available[0] ?? chosen);
  // Points have no platform.
  return (
    <Chart
      title={t('byDay', { figure: t(figure) })}
      kind={levels.includes(figure) ? 'line' : 'bars'}
      labels={dayLabels(overview.days)}
      series={platformSeries(overview, figure).map((series) => ({
        ...series,
        title: figure === 'pointsOutstanding' ? t(figure) : series.title,
      }))}
      format={formatOf(figure)}
      fileName={`${figure}-${overview.from}-${overview.to}`}
      actions={
        <Choice
          label={t('figure')}
          value={figure}
          onChange={(name: FigureName) => setChosen(name)}
          choices={available.map((name) => ({ value: name, title: t(name) }))}
        />
      }
    />
  );
}

const columns: readonly FigureName[] = [
  'followers',
  'blocks',
  'inbound',
  'outbound',
  'conversations',
  'tagCoverRate',
];

/** A table with a row for each platform and one for their sum. */
function ByPlatform({ overview, platforms }: Parts) {
  return (
    <Card title={t('byPlatform')} note={t('byPlatformNote')}>
      <DataTable<PlatformOrAll>
        caption={t('byPlatform')}
        rows={[...platforms, 'all']}
        keyOf={(platform) => platform}
        columns={[
          {
            key: 'platform',
            title: t('platform'),
            cell: (platform) => <PlatformName platform={platform} />,
          },
          ...columns.map((name) => ({
            key: name,
            title: t(name),
            isNumber: true,
            cell: (platform: PlatformOrAll) => <Cell overview={overview} platform={platform} name={name} />,
          })),
        ]}
      />
    </Card>
  );
}

type CellProps = { overview: Overview; platform: PlatformOrAll; name: FigureName };

function Cell({ overview, platform, name }: CellProps) {
  const figure = findFigure(overview, name, platform);
  if (!figure) return <>{number(null)}</>;
  return (
    <>
      {formatOf(name)(figure.now)}
      {figure.before !== null && (
        <Change
          {...changeOf(figure, overview)}
          good={goodOf(name)}
          format={formatOf(name)}
          shortFormat={name === 'tagCoverRate' ? signedPercent : signed}
        />
      )}
    </>
  );
}

function formatOf(name: FigureName): (value: number | null) => string {
  return name === 'tagCoverRate' ? percent : number;
}

function goodOf(name: FigureName): 'up' | 'down' | 'neither' {
  if (name === 'blocks' || name === 'newBlocks') return 'down';
  return name === 'pointsOutstanding' ? 'neither' : 'up';
}
