/** Received and sent messages: of the range, and by day and platform. */
import { useState } from 'preact/hooks';
import { Chart, type ChartSeries, periodLabels, periodTitle } from '../../components/chart.tsx';
import { platformSeries } from '../../components/platform-series.ts';
import { PlatformSummary } from '../../components/platform-summary.tsx';
import { Segments } from '../../components/segments.tsx';
import { findSeries, type Overview } from '../../state/overview.ts';
import { t } from '../../texts/messages.ts';
import { t as figureTexts } from '../../texts/overview.ts';

const figures = ['messages', 'inbound', 'outbound'] as const;
const directions = ['inbound', 'outbound', 'both'] as const;
type Direction = (typeof directions)[number];

export function BothDirections({ overview }: { overview: Overview }) {
  return (
    <PlatformSummary
      overview={overview}
      figures={figures}
      statOf={(name) => ({ title: figureTexts(name) })}
    />
  );
}

export function ByDay({ overview }: { overview: Overview }) {
  const [direction, setDirection] = useState<Direction>('inbound');
  return (
    <Chart
      title={t('byDay')}
      note={t(`${direction}Note`)}
      kind="bars"
      isGrouped={direction === 'both'}
      labels={periodLabels(overview)}
      labelTitle={periodTitle(overview)}
      series={direction === 'both' ? inAndOut(overview) : platformSeries(overview, direction)}
      fileName={`messages-${direction}-${overview.from}-${overview.to}`}
      actions={
        <Segments
          label={t('direction')}
          value={direction}
          onChange={(chosen: Direction) => setDirection(chosen)}
          choices={directions.map((value) => ({ value, title: t(value) }))}
        />
      }
    />
  );
}

function inAndOut(overview: Overview): ChartSeries[] {
  return (['inbound', 'outbound'] as const).map((direction, index) => ({
    key: direction,
    title: t(direction),
    colour: `series-${index + 1}`,
    values: findSeries(overview, direction, 'all')?.values ?? [],
    before: findSeries(overview, direction, 'all')?.valuesBefore ?? null,
  }));
}
