/** Figures by day as getSeries answers them: what each day adds. */
import { pathOf } from '../api/client.ts';
import { type Live, useLive } from '../api/live.ts';
import type { Range } from '../format/range.ts';
import type { Bot } from './bots.ts';
import type { PlatformOrAll } from './overview.ts';

export type SeriesFigureName = 'followers' | 'blocks';

export type Series = {
  from: string;
  to: string;
  periods: readonly { name: string }[];
  series: readonly {
    platform: PlatformOrAll;
    figure: SeriesFigureName;
    values: readonly number[];
  }[];
};

/** The figures of the range day by day, kept up to date. */
export function useSeries(
  { botId }: Bot,
  { from, to }: Range,
  figures: readonly SeriesFigureName[],
): Live<Series> {
  return useLive<Series>(pathOf(`/bots/${botId}/figures/series`, { figures, from, to }));
}
