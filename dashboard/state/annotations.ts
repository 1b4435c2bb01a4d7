/** The annotations of a range, for every chart over time. */
import { resource, type Schema } from '../api/client.ts';
import { type Live, useLive } from '../api/live.ts';
import type { Days } from '../format/range.ts';
import type { Bot } from './bots.ts';

export type Annotation = Schema['Annotation'];

const everyMs = 30_000;

export function useAnnotations({ botId }: Bot, { from, to }: Days): Live<Schema['Annotations']> {
  const params = { path: { botId }, query: { from, to } };
  return useLive(resource('/api/v1/bots/{botId}/annotations', params), { everyMs });
}

export type Mark = { index: number; title: string };

/** The positions of annotations among periods. Those of one period are one mark. */
export function marksOf(
  annotations: readonly Annotation[],
  periods: readonly { first: string; last: string }[],
  titleOf: (annotation: Annotation) => string,
): Mark[] {
  return periods.flatMap(({ first, last }, index) => {
    const within = annotations.filter(({ day }) => day >= first && day <= last);
    return within.length === 0 ? [] : [{ index, title: within.map(titleOf).join(' · ') }];
  });
}
