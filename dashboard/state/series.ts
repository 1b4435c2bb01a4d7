/** Figures by day, as getSeries answers them: the change of each day. */
import { resource, type Schema } from '../api/client.ts';
import { type Live, useLive } from '../api/live.ts';
import type { Range } from '../format/range.ts';
import type { Bot } from './bots.ts';

export type SeriesFigureName = Extract<Schema['FigureName'], 'followers' | 'blocks'>;

/** The figures of the range day by day, kept up to date. */
export function useSeries(
  { botId }: Bot,
  { from, to }: Range,
  figures: SeriesFigureName[],
): Live<Schema['Series']> {
  return useLive(
    resource('/api/v1/bots/{botId}/figures/series', { path: { botId }, query: { figures, from, to } }),
  );
}
