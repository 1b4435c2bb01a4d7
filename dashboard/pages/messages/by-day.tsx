/** Messages in and out: over the range, and by day and platform. */
import { useState } from 'preact/hooks';
import { Chart, type ChartSeries, dayLabels } from '../../components/chart.tsx';
import { Together } from '../../components/platform-summary.tsx';
import { Segments } from '../../components/segments.tsx';
import { platformColour, platformTitle } from '../../format/platforms.ts';
import { findSeries, type Overview, seriesByPlatform } from '../../state/overview.ts';
import { t } from '../../texts/messages.ts';
import { t as figureTexts } from '../../texts/overview.ts';

const figures = ['messages', 'inbound', 'outbound'] as const;
const ways = ['inbound', 'outbound', 'both'] as const;
type Way = (typeof ways)[number];

export function BothWays({ overview }: { overview: Overview }) {
  return <Together overview={overview} figures={figures} statOf={(name) => ({ title: figureTexts(name) })} />;
}

export function ByDay({ overview }: { overview: Overview }) {
  const [way, setWay] = useState<Way>('inbound');
  return (
    <Chart
      title={t('byDay')}
      note={t(`${way}Note`)}
      kind="bars"
      isBeside={way === 'both'}
      labels={dayLabels(overview.days)}
      series={way === 'both' ? inAndOut(overview) : byPlatform(overview, way)}
      fileName={`messages-${way}-${overview.from}-${overview.to}`}
      actions={
        <Segments
          label={t('way')}
          value={way}
          onChange={(chosen: Way) => setWay(chosen)}
          choices={ways.map((value) => ({ value, title: t(value) }))}
        />
      }
    />
  );
}

function byPlatform(overview: Overview, way: 'inbound' | 'outbound'): ChartSeries[] {
  return seriesByPlatform(overview, way).map(({ platform, values }) => ({
    key: platform,
    title: platformTitle(platform),
    colour: platformColour(platform),
    values,
  }));
}

function inAndOut(overview: Overview): ChartSeries[] {
  return (['inbound', 'outbound'] as const).map((way, index) => ({
    key: way,
    title: t(way),
    colour: `series-${index + 1}`,
    values: findSeries(overview, way, 'all')?.values ?? [],
  }));
}
