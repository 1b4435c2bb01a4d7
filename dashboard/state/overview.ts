/** The answer of getOverview, for every page that compares figures with another period. */
import { resource, type Schema } from '../api/client.ts';
import { type Live, useLive } from '../api/live.ts';
import type { PlatformName } from '../format/platforms.ts';
import type { View } from '../format/range.ts';
import type { Bot } from './bots.ts';

export type OverviewFigureName = Schema['OverviewFigure'];
export type PlatformOrAll = Schema['PlatformOrAll'];
export type Overview = Schema['Overview'];
export type OverviewFigure = Overview['figures'][number];
export type OverviewSeries = Overview['series'][number];

/** The figures of the range, kept up to date. */
export function useOverview({ botId }: Bot, { from, to, by, comparison }: View): Live<Overview> {
  const query = { from, to, by, comparison };
  return useLive(resource('/api/v1/bots/{botId}/overview', { path: { botId }, query }));
}

/** The platforms with a channel. */
export function platformsOf({ figures }: Overview): PlatformName[] {
  const names = new Set(figures.map(({ platform }) => platform));
  return [...names].filter((platform) => platform !== 'all');
}

export function findFigure(
  { figures }: Overview,
  name: OverviewFigureName,
  platform: PlatformOrAll,
): OverviewFigure | undefined {
  return figures.find((one) => one.figure === name && one.platform === platform);
}

/** A figure by day; undefined if the answer does not have it. */
export function findSeries(
  { series }: Overview,
  name: OverviewFigureName,
  platform: PlatformOrAll,
): OverviewSeries | undefined {
  return series.find((one) => one.figure === name && one.platform === platform);
}

/** A figure by day for each platform with a channel; without channels, the sum of all platforms. */
export function seriesByPlatform(overview: Overview, name: OverviewFigureName): OverviewSeries[] {
  const each = platformsOf(overview).flatMap((platform) => findSeries(overview, name, platform) ?? []);
  return each.length > 0 ? each : [findSeries(overview, name, 'all') ?? []].flat();
}
