/** A figure by day as the series of a chart, one for each platform. */
import { platformColour, platformTitle } from '../format/platforms.ts';
import { type Overview, type OverviewFigureName, seriesByPlatform } from '../state/overview.ts';
import type { ChartSeries } from './chart.tsx';

/** Each series has the name and the colour of its platform. */
export function platformSeries(overview: Overview, figure: OverviewFigureName): ChartSeries[] {
  return seriesByPlatform(overview, figure).map(({ platform, values, valuesBefore }) => ({
    key: platform,
    title: platformTitle(platform),
    colour: platformColour(platform),
    values,
    before: valuesBefore,
  }));
}
