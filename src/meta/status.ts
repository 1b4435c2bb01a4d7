/** The collection status of a bot's Meta channels, for people and programs. It contains no secrets. */
import type { components } from '../../contracts/types/management.ts';
import { listChannels } from '../bots/channels.ts';
import { isMetaPlatform } from '../bots/meta-tokens.ts';
import { type CallLimit, durationOf } from '../collector/call-limit.ts';
import { type KindRow, selectKinds } from '../collector/kind-rows.ts';
import type { Queryable } from '../database/client.ts';
import { secondMs } from '../time.ts';
import { isHistoryKind, isSpanKind, type MetaKind, metaKinds, spanRules } from './kinds.ts';
import { metaChannels } from './meta-source.ts';
import { daysOfSpan, spansToAsk } from './schedule.ts';

type Collector = components['schemas']['MetaCollector'];
type Kind = Omit<components['schemas']['CollectedKind'], 'kind' | 'answeredAt' | 'nextAt'> & {
  kind: MetaKind;
  answeredAt: Date | null;
  nextAt: Date | null;
};
export type MetaStatus = Omit<Collector, 'kinds'> & { kinds: Kind[] };

/** Returns the status of each Meta channel of a bot, and none without such a channel. */
export async function readMetaStatus(
  sql: Queryable,
  botId: string,
  { now, limit }: { now: number; limit: CallLimit },
): Promise<MetaStatus[]> {
  const channels = (await listChannels(sql, botId, now)).filter(({ platform }) => isMetaPlatform(platform));
  if (channels.length === 0) return [];
  const rows = await selectKinds(sql, botId, metaChannels);
  return channels.flatMap(({ platform, enabled, accessTokenSet }) => {
    if (!isMetaPlatform(platform)) return [];
    const kindsOfPlatform = metaKinds.filter((one) => one.platform === platform).map(({ kind }) => kind);
    // A history that was not requested has no state to show.
    const own = rows.filter(
      ({ kind, questions }) =>
        kindsOfPlatform.includes(kind) && (!isHistoryKind(kind) || Object.keys(questions).length > 0),
    );
    const refused = own.find(({ isRefused }) => isRefused);
    const obstacle = enabled
      ? accessTokenSet
        ? null
        : `The channel has no access token: shoal channel set ${botId} ${platform} --access-token T`
      : 'The channel is disabled.';
    return {
      platform,
      state: obstacle !== null ? ('off' as const) : refused ? ('stopped' as const) : ('collecting' as const),
      problem: obstacle ?? refused?.problem ?? null,
      kinds: own.map((row) => toKind(row, { now, limit })),
    };
  });
}

/** The days of spans. */
function toKind(row: KindRow<MetaKind>, { now, limit }: { now: number; limit: CallLimit }): Kind {
  const { isAdded, fullAt, firstQuestionDay, lastQuestionDay, earliestOutcome, isRefused, ...status } = row;
  const { kind, fromDay, latestDay, earliestDay } = status;
  if (!isSpanKind(kind) || !isAdded)
    return { ...status, earliestDay: null, latestDay: null, daysLeft: null, secondsLeft: null };
  const earliest = firstQuestionDay === null ? null : { day: firstQuestionDay, outcome: earliestOutcome };
  const spans = spansToAsk(kind, { fromDay, earliest, latestDay: lastQuestionDay }, now);
  return {
    ...status,
    earliestDay: earliestDay && (daysOfSpan(kind, earliestDay, now)?.first ?? earliestDay),
    latestDay: latestDay && (daysOfSpan(kind, latestDay, now)?.last ?? latestDay),
    daysLeft: spans * spanRules[kind].spanDays,
    secondsLeft: Math.ceil(durationOf(spans, { fullAt, now, limit }) / secondMs),
  };
}
