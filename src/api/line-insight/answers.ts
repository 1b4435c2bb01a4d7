/**
 * The answers of the LINE Insight calls, as pure functions of the stored figures (figures.md, section 8).
 *
 * LINE's own answers are passed through, without fields that are null where the contract allows no null. Shoal's own counts
 * follow LINE's privacy rule: a count of fewer than 20 people is null.
 */

import { isObject } from '../../json.ts';
import type { LineAnswer } from '../../line/answers.ts';
import { type LineDay, type OwnFollowers, type OwnSends, toLineNames } from '../../line/daily-figures.ts';
import type { InteractionKind } from '../../line/interactions.ts';
import type { Count, MessageStatistics, UnitStatistics } from '../../line/statistics.ts';
import { secondMs } from '../../time.ts';
import type { Answer } from './operation.ts';

type Statistics = Answer<'getStatisticsPerUnit'>;

/** LINE has these figures since then (LINE Messaging API reference). */
export const followersSince = '2016-11-01';
export const deliveriesSince = '2017-03-01';

const peopleMin = 20;

/** Followers at the end of a day; `today` in UTC+9. In Shoal's own figures, `targetedReaches` is followers − blocks. */
export function toFollowers(
  { snapshot, existed, own }: LineDay<OwnFollowers>,
  { day, today }: { day: string; today: string },
): Answer<'getNumberOfFollowers'> {
  if (snapshot !== null) return withoutNulls(snapshot);
  const status = statusOf(day, { today, since: followersSince, existed });
  if (status !== 'ready') return { status };
  const { followers, blocks } = own;
  return { status, followers, targetedReaches: Math.max(0, followers - blocks), blocks };
}

/** The recipients of a day's sends by kind. A kind without sends, or with an unknown number of recipients, is left out. */
export function toDeliveries(
  { snapshot, existed, own }: LineDay<OwnSends>,
  { day, today }: { day: string; today: string },
): Answer<'getNumberOfMessageDeliveries'> {
  if (snapshot !== null) return withoutNulls(snapshot);
  const status = statusOf(day, { today, since: deliveriesSince, existed });
  if (status !== 'ready') return { status };
  const counts = Object.entries(toLineNames(own)).flatMap(([name, recipients]) =>
    recipients ? [[name, recipients] as const] : [],
  );
  return { ...Object.fromEntries(counts), status };
}

/** LINE's latest demographic answer, its shares as LINE wrote them. Undefined if none is stored. */
export function toDemographics(snapshot: unknown): Answer<'getFriendsDemographics'> {
  const answer = isObject(snapshot) ? snapshot : {};
  const shares = demographicNames.map((name) => {
    const list = answer[name];
    return [name, Array.isArray(list) ? list : []];
  });
  return { ...Object.fromEntries(shares), available: answer.available === true };
}

const demographicNames = ['genders', 'ages', 'areas', 'appTypes', 'subscriptionPeriods'];

/** One send's statistics: LINE's answer if one is stored, else Shoal's own counts. Null if the send is unknown. */
export function toMessageEvent(
  { snapshot, send, counts }: MessageStatistics,
  { requestId }: { requestId: string },
): Answer<'getMessageEvent'> | null {
  if (snapshot !== null) return toStatistics(snapshot, counts);
  if (send === null) return null;
  const { recipients, sentAt } = send;
  const overview = {
    requestId,
    timestamp: Math.floor(sentAt / secondMs),
    ...(recipients === null ? {} : { delivered: recipients }),
    ...toOverview(counts),
  };
  return { overview, messages: toMessages(counts, { isUnit: false }), clicks: toClicks(counts) };
}

/** A unit's statistics: LINE's answer for the same days if one is stored, else Shoal's own counts. */
export function toUnitStatistics({ snapshot, counts }: UnitStatistics): Statistics {
  if (snapshot !== null) return toStatistics(snapshot, counts);
  return {
    overview: toOverview(counts),
    messages: toMessages(counts, { isUnit: true }),
    clicks: toClicks(counts),
  };
}

function statusOf(
  day: string,
  { today, since, existed }: { today: string; since: string; existed: boolean },
): 'ready' | 'unready' | 'out_of_service' {
  if (day >= today) return 'unready';
  return day < since || !existed ? 'out_of_service' : 'ready';
}

function withoutNulls(answer: LineAnswer): LineAnswer {
  return Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== null));
}

/** LINE's answer, with Shoal's own clicks where LINE has none. In the overview, only counts of people may be null. */
function toStatistics(answer: LineAnswer, counts: readonly Count[]): Statistics {
  const { overview } = answer;
  // Both were checked to be arrays of objects when the answer was stored. Their members are LINE's.
  const { messages, clicks } = answer as Pick<Statistics, 'messages' | 'clicks'>;
  const fields = isObject(overview) ? overview : {};
  const shownFields = Object.entries(fields).filter(
    ([name, value]) => value !== null || name.startsWith('unique'),
  );
  const { unique: uniqueClick } = shown(countOf(counts, 'click', 0));
  const ownOverview = (fields.uniqueClick ?? null) === null && uniqueClick !== null ? { uniqueClick } : {};
  const ownClicks = toClicks(counts);
  return {
    overview: { ...Object.fromEntries(shownFields), ...ownOverview },
    messages,
    clicks: ownClicks.length > 0 && !hasClicks(clicks) ? ownClicks : clicks,
  };
}

/** LINE lists a URL with null instead of a number while fewer than 20 people have clicked. */
function hasClicks(clicks: Statistics['clicks']): boolean {
  return clicks.some(({ click }) => typeof click === 'number');
}

function toOverview(counts: readonly Count[]) {
  const unique = (kind: InteractionKind) => shown(countOf(counts, kind, 0)).unique;
  return {
    uniqueImpression: unique('impression'),
    uniqueClick: unique('click'),
    uniqueMediaPlayed: unique('media-play'),
    uniqueMediaPlayed100Percent: unique('media-play-100'),
  };
}

/** By bubble. Only a unit has the number of people who saw each. */
function toMessages(counts: readonly Count[], { isUnit }: { isUnit: boolean }) {
  const ofBubbles = counts.filter(({ kind, seq }) => kind !== 'click' && seq > 0);
  const seqs = [...new Set(ofBubbles.map(({ seq }) => seq))].sort((a, b) => a - b);
  return seqs.map((seq) => {
    const impression = shown(countOf(counts, 'impression', seq));
    const media = mediaNames.map(([kind, name]) => [name, shown(countOf(counts, kind, seq))] as const);
    return {
      seq,
      impression: impression.total,
      ...Object.fromEntries(media.map(([name, { total }]) => [`mediaPlayed${name}`, total])),
      ...(isUnit ? { uniqueImpression: impression.unique } : {}),
      ...Object.fromEntries(media.map(([name, { unique }]) => [`uniqueMediaPlayed${name}`, unique])),
    };
  });
}

const mediaNames = [
  ['media-play', ''],
  ['media-play-25', '25Percent'],
  ['media-play-50', '50Percent'],
  ['media-play-75', '75Percent'],
  ['media-play-100', '100Percent'],
] as const;

function toClicks(counts: readonly Count[]) {
  return counts
    .filter(({ kind, seq, url }) => kind === 'click' && seq > 0 && url !== '')
    .sort((a, b) => a.seq - b.seq || (a.url < b.url ? -1 : 1))
    .map((count) => {
      const { total, unique } = shown(count);
      const ofRequest = shown(countOf(counts, 'click', 0, count.url));
      return {
        seq: count.seq,
        url: count.url,
        click: total,
        uniqueClick: unique,
        uniqueClickOfRequest: ofRequest.unique,
      };
    });
}

function countOf(counts: readonly Count[], kind: InteractionKind, seq: number, url = ''): Count | undefined {
  return counts.find((count) => count.kind === kind && count.seq === seq && count.url === url);
}

// Actions are never fewer than people, so this also hides totals below 20.
function shown(count: Count | undefined): { total: number | null; unique: number | null } {
  if (count === undefined || count.people < peopleMin) return { total: null, unique: null };
  return { total: count.total, unique: count.people };
}
