/** Followers and blocks: the level at the end of each day, and the daily changes. */
import { useState } from 'preact/hooks';
import { Chart, dayLabels } from '../../components/chart.tsx';
import { NoChannels } from '../../components/no-channels.tsx';
import { PlatformChoice } from '../../components/platform-choice.tsx';
import { platformSeries } from '../../components/platform-series.ts';
import { PlatformSummary } from '../../components/platform-summary.tsx';
import { Segments } from '../../components/segments.tsx';
import { Loaded } from '../../components/states.tsx';
import { number } from '../../format/format.ts';
import type { Range } from '../../format/range.ts';
import type { Bot } from '../../state/bots.ts';
import { type Overview, type PlatformOrAll, platformsOf } from '../../state/overview.ts';
import { type SeriesFigureName, useSeries } from '../../state/series.ts';
import { t } from '../../texts/audience.ts';
import { t as figureTexts } from '../../texts/overview.ts';

export function Growth({ bot, range, overview }: { bot: Bot; range: Range; overview: Overview }) {
  const platforms = platformsOf(overview);
  return (
    <>
      <PlatformSummary overview={overview} figures={figures} statOf={statOf} />
      {platforms.length === 0 ? (
        <NoChannels bot={bot} />
      ) : (
        <>
          <ByDay bot={bot} range={range} platforms={platforms} />
          <AtDaysEnd overview={overview} />
        </>
      )}
    </>
  );
}

const figures = ['followers', 'newFollowers', 'blocks', 'newBlocks'] as const;

function statOf(name: (typeof figures)[number]): { title: string; good: 'up' | 'down' } {
  return { title: figureTexts(name), good: name === 'blocks' || name === 'newBlocks' ? 'down' : 'up' };
}

const changeFigures: SeriesFigureName[] = ['followers', 'blocks'];

/** New followers and new blocks, of one platform or of all. */
function ByDay({ bot, range, platforms }: { bot: Bot; range: Range; platforms: readonly PlatformOrAll[] }) {
  const live = useSeries(bot, range, changeFigures);
  const [chosen, setChosen] = useState<PlatformOrAll>('all');
  return (
    <Loaded live={live} shape="chart">
      {({ from, to, periods, series }) => (
        <Chart
          title={t('growth')}
          note={t('growthNote')}
          kind="bars"
          isGrouped
          labels={dayLabels(periods.map(({ name }) => name))}
          series={changeFigures.map((figure) => ({
            key: figure,
            title: figureTexts(figure === 'followers' ? 'newFollowers' : 'newBlocks'),
            colour: figure === 'followers' ? 'series-1' : 'series-2',
            values: series.find((one) => one.figure === figure && one.platform === chosen)?.values ?? [],
          }))}
          format={number}
          fileName={`growth-${chosen}-${from}-${to}`}
          actions={
            <PlatformChoice
              label={figureTexts('platform')}
              value={chosen}
              onChange={(platform: PlatformOrAll) => setChosen(platform)}
              platforms={platforms}
            />
          }
        />
      )}
    </Loaded>
  );
}

function AtDaysEnd({ overview }: { overview: Overview }) {
  const [figure, setFigure] = useState<'followers' | 'blocks'>('followers');
  return (
    <Chart
      title={t('atDaysEnd', { figure: figureTexts(figure) })}
      note={t('atDaysEndNote')}
      kind="line"
      labels={dayLabels(overview.days)}
      series={platformSeries(overview, figure)}
      fileName={`${figure}-${overview.from}-${overview.to}`}
      actions={
        <Segments
          label={figureTexts('figure')}
          value={figure}
          onChange={(chosen: 'followers' | 'blocks') => setFigure(chosen)}
          choices={[
            { value: 'followers', title: figureTexts('followers') },
            { value: 'blocks', title: figureTexts('blocks') },
          ]}
        />
      }
    />
  );
}
