/**
 * The overview: each figure of the bot with its change from the compared period, by platform and by day. All numbers come from one
 * answer of getOverview.
 */
import { useState } from 'preact/hooks';
import type { Schema } from '../api/client.ts';
import type { Live } from '../api/live.ts';
import { Annotations, annotationTitle } from '../components/annotations.tsx';
import { Card } from '../components/card.tsx';
import { Chart, periodLabels, periodTitle } from '../components/chart.tsx';
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
import { pageAddress, useAddress, viewQuery } from '../state/address.ts';
import { type Annotation, marksOf, useAnnotations } from '../state/annotations.ts';
import type { PageProps } from '../state/bots.ts';
import {
  findFigure,
  findSeries,
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
  const annotations = useAnnotations(bot, range);
  return (
    <PageFrame
      title={frame('overview')}
      note={<RangeNote range={range} zone={bot.timeZone} />}
      actions={<RangePicker bot={bot} isCompared />}
    >
      <Loaded live={live} shape="stats">
        {(overview) => <Content bot={bot} overview={overview} annotations={annotations} />}
      </Loaded>
    </PageFrame>
  );
}

type ContentProps = PageProps & { overview: Overview; annotations: Live<Schema['Annotations']> };

function Content({ bot, overview, annotations }: ContentProps) {
  const platforms = platformsOf(overview);
  const { query } = useAddress();
  return (
    <>
      <PlatformSummary
        overview={overview}
        figures={summaryFigures}
        shape="row"
        statOf={(name) => ({
          title: t(name),
          format: formatOf(name),
          good: goodOf(name),
          href: pageAddress(bot.botId, pageOf[name]) + viewQuery(query),
          spark: findSeries(overview, name, 'all')?.values ?? [],
        })}
      />
      {platforms.length === 0 ? (
        <NoChannels bot={bot} />
      ) : (
        <>
          <ByDay overview={overview} annotations={annotations.value?.annotations ?? []} />
          <Annotations bot={bot} live={annotations} />
          <ByPlatform overview={overview} platforms={platforms} />
        </>
      )}
    </>
  );
}

/** The tiles, each with the page that has more about it. */
const pageOf = {
  followers: 'audience',
  blocks: 'audience',
  messages: 'messages',
  conversations: 'conversations',
  tagCoverRate: 'audience',
  pointsOutstanding: 'points',
} as const;
const summaryFigures = Object.keys(pageOf) as (keyof typeof pageOf)[];

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

function ByDay({ overview, annotations }: { overview: Overview; annotations: readonly Annotation[] }) {
  const [chosen, setChosen] = useState<FigureName>('messages');
  const available = chartFigures.filter((name) => overview.series.some(({ figure }) => figure === name));
  const figure = available.includes(chosen) ? chosen : (available[0] ?? chosen);
  // Points have no platform.
  return (
    <Chart
      title={t('byDay', { figure: t(figure) })}
      kind={levels.includes(figure) ? 'line' : 'bars'}
      labels={periodLabels(overview)}
      labelTitle={periodTitle(overview)}
      series={platformSeries(overview, figure).map((series) => ({
        ...series,
        title: figure === 'pointsOutstanding' ? t(figure) : series.title,
      }))}
      marks={marksOf(annotations, overview.periods, annotationTitle)}
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
