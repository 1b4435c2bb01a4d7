/**
 * LINE's statistics of sends: actions and people per bubble and URL. A value is `null` below 20 people, and actions later than
 * 14 days after the send are not counted.
 */
import { dayMs } from '../../src/time.ts';
import type { Interaction, Send } from './account.ts';

const peopleMin = 20;
const countedMs = 14 * dayMs;
const percents = [25, 50, 75, 100] as const;

type Count = { count: number | null; people: number | null };

/** `overview`, `messages` and `clicks` of one send, or of the sends of a unit (`isUnit`). */
export function statisticsOf(sends: readonly Send[], { now, isUnit }: { now: number; isUnit: boolean }) {
  const counted = sends.flatMap(({ interactions, sentAt }) =>
    interactions.filter(({ at }) => at <= now && at <= sentAt + countedMs),
  );
  const countOf = (test: (interaction: Interaction) => boolean) => visibleCount(counted.filter(test));
  const isPlayed = (interaction: Interaction, percent: number) =>
    interaction.kind === 'play' && interaction.percent === percent;
  const bubbles = sends.flatMap((send) => send.bubbles);
  const seqs = [...new Set(bubbles.map(({ seq }) => seq))].sort((a, b) => a - b);
  const links = new Map(
    bubbles.flatMap(({ seq, urls }) => urls.map((url) => [`${seq} ${url}`, { seq, url }])),
  );
  return {
    overview: {
      uniqueImpression: countOf(({ kind }) => kind === 'impression').people,
      uniqueClick: countOf(({ kind }) => kind === 'click').people,
      uniqueMediaPlayed: countOf((one) => isPlayed(one, 0)).people,
      uniqueMediaPlayed100Percent: countOf((one) => isPlayed(one, 100)).people,
    },
    messages: seqs.map((seq) => {
      const impressions = countOf((one) => one.kind === 'impression' && one.seq === seq);
      const starts = countOf((one) => one.seq === seq && isPlayed(one, 0));
      const plays = percents.map(
        (percent) => [percent, countOf((one) => one.seq === seq && isPlayed(one, percent))] as const,
      );
      const counts = plays.map(([percent, { count }]) => [`mediaPlayed${percent}Percent`, count]);
      const people = plays.map(([percent, play]) => [`uniqueMediaPlayed${percent}Percent`, play.people]);
      return {
        seq,
        impression: impressions.count,
        ...(isUnit ? { uniqueImpression: impressions.people } : {}),
        mediaPlayed: starts.count,
        ...Object.fromEntries(counts),
        uniqueMediaPlayed: starts.people,
        ...Object.fromEntries(people),
      };
    }),
    clicks: [...links.values()].map(({ seq, url }) => {
      const inBubble = countOf((one) => one.kind === 'click' && one.seq === seq && one.url === url);
      const inSend = countOf((one) => one.kind === 'click' && one.url === url);
      return {
        seq,
        url,
        click: inBubble.count,
        uniqueClick: inBubble.people,
        uniqueClickOfRequest: inSend.people,
      };
    }),
  };
}

/** The number of different people. */
export function peopleIn(interactions: readonly { userId: string }[]): number {
  return new Set(interactions.map(({ userId }) => userId)).size;
}

function visibleCount(interactions: readonly Interaction[]): Count {
  const people = peopleIn(interactions);
  // Below the minimum of people LINE hides the count of actions too.
  return people < peopleMin ? { count: null, people: null } : { count: interactions.length, people };
}
