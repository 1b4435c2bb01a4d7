/** The overview of a bot as getOverview answers it, for every page that shows figures beside the period before. */
import { pathOf } from '../api/client.ts';
import { type Live, useLive } from '../api/live.ts';
import type { PlatformName } from '../format/platforms.ts';
import type { Range } from '../format/range.ts';
import type { Bot } from './bots.ts';

export type OverviewFigureName =
  | 'followers'
  | 'newFollowers'
  | 'blocks'
  | 'newBlocks'
  | 'messages'
  | 'inbound'
  | 'outbound'
  | 'conversations'
  | 'averageConversationMessages'
  | 'averageConversationSeconds'
  | 'tagCoverRate'
  | 'pointsOutstanding';
export type PlatformOrAll = PlatformName | 'all';

export type Overview = {
  zone: string;
  from: string;
  to: string;
  before: { from: string; to: string };
  figures: readonly OverviewFigure[];
  days: readonly string[];
  series: readonly OverviewSeries[];
};

export type OverviewFigure = {
  figure: OverviewFigureName;
  platform: PlatformOrAll;
  now: number | null;
  before: number | null;
  change: number | null;
  changeRate: number | null;
};

export type OverviewSeries = {
  figure: OverviewFigureName;
  platform: PlatformOrAll;
  values: readonly (number | null)[];
};

/** The figures over the range, kept up to date. */
export function useOverview({ botId }: Bot, { from, to }: Range): Live<Overview> {
  return useLive<Overview>(pathOf(`/bots/${botId}/overview`, { from, to }));
}

/** The platforms that have a channel. */
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

/** A figure by day; undefined where the answer has none. */
export function findSeries(
  { series }: Overview,
  name: OverviewFigureName,
  platform: PlatformOrAll,
): OverviewSeries | undefined {
  return series.find((one) => one.figure === name && one.platform === platform);
}

/** A figure by day for each platform that has a channel; where none has, for all together. */
export function seriesByPlatform(overview: Overview, name: OverviewFigureName): OverviewSeries[] {
  const each = platformsOf(overview).flatMap((platform) => findSeries(overview, name, platform) ?? []);
  return each.length > 0 ? each : [findSeries(overview, name, 'all') ?? []].flat();
}
