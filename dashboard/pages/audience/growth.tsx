/** Followers and blocks: the level at the end of each day, and the daily changes. */
import { useState } from 'preact/hooks';
import { Chart, periodLabels, periodTitle } from '../../components/chart.tsx';
import { NoChannels } from '../../components/no-channels.tsx';
import { PlatformChoice } from '../../components/platform-choice.tsx';
import { platformSeries } from '../../components/platform-series.ts';
import { PlatformSummary } from '../../components/platform-summary.tsx';
import { Segments } from '../../components/segments.tsx';
import { number } from '../../format/format.ts';
import type { Bot } from '../../state/bots.ts';
import { findSeries, type Overview, type PlatformOrAll, platformsOf } from '../../state/overview.ts';
import { t } from '../../texts/audience.ts';
import { t as figureTexts } from '../../texts/overview.ts';

export function Growth({ bot, overview }: { bot: Bot; overview: Overview }) {
  const platforms = platformsOf(overview);
  return (
    <>
      <PlatformSummary overview={overview} figures={figures} statOf={statOf} />
      {platforms.length === 0 ? (
        <NoChannels bot={bot} />
      ) : (
        <>
          <ByDay overview={overview} platforms={platforms} />
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

const changeFigures = [
  { figure: 'newFollowers', colour: 'series-1' },
  { figure: 'newBlocks', colour: 'series-2' },
] as const;

/** New followers and new blocks, of one platform or of all. */
function ByDay({ overview, platforms }: { overview: Overview; platforms: readonly PlatformOrAll[] }) {
  const [chosen, setChosen] = useState<PlatformOrAll>('all');
  return (
    <Chart
      title={t('growth')}
      note={t('growthNote')}
      kind="bars"
      isGrouped
      labels={periodLabels(overview)}
      labelTitle={periodTitle(overview)}
      series={changeFigures.map(({ figure, colour }) => {
        const { values = [], valuesBefore = null } = findSeries(overview, figure, chosen) ?? {};
        return { key: figure, title: figureTexts(figure), colour, values, before: valuesBefore };
      })}
      format={number}
      fileName={`growth-${chosen}-${overview.from}-${overview.to}`}
      actions={
        <PlatformChoice
          label={figureTexts('platform')}
          value={chosen}
          onChange={(platform: PlatformOrAll) => setChosen(platform)}
          platforms={platforms}
        />
      }
    />
  );
}

function AtDaysEnd({ overview }: { overview: Overview }) {
  const [figure, setFigure] = useState<'followers' | 'blocks'>('followers');
  return (
    <Chart
      title={t('atDaysEnd', { figure: figureTexts(figure) })}
      note={t('atDaysEndNote')}
      kind="line"
      labels={periodLabels(overview)}
      labelTitle={periodTitle(overview)}
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
