/**
 * What LINE tells of how people dealt with sends: counts with their people, `null` where either is below 20, and nothing of
 * what happened more than 14 days after sending.
 */
import { dayMs } from '../../src/time.ts';
import type { Interaction, Send } from './account.ts';

const shownMin = 20;
const countedMs = 14 * dayMs;
const percents = [25, 50, 75, 100] as const;

type Shown = number | null;

/** The interactions that LINE counts of the sends at the instant. */
export function countedInteractions(sends: readonly Send[], now: number): Interaction[] {
  return sends.flatMap(({ interactions, sentAt }) =>
    interactions.filter(({ at }) => at <= now && at <= sentAt + countedMs),
  );
}

/** `overview`, `messages` and `clicks` of one send, or of the sends of a unit (`isUnit`). */
export function statisticsOf(sends: readonly Send[], { now, isUnit }: { now: number; isUnit: boolean }) {
  const counted = countedInteractions(sends, now);
  const of = (test: (one: Interaction) => boolean) => shown(counted.filter(test));
  const isPlayed = (one: Interaction, percent: number) => one.kind === 'play' && one.percent === percent;
  const bubbles = sends.flatMap((send) => send.bubbles);
  const seqs = [...new Set(bubbles.map(({ seq }) => seq))].sort((a, b) => a - b);
  const links = new Map(
    bubbles.flatMap(({ seq, urls }) => urls.map((url) => [`${seq} ${url}`, { seq, url }])),
  );
  return {
    overview: {
      uniqueImpression: of(({ kind }) => kind === 'impression').people,
      uniqueClick: of(({ kind }) => kind === 'click').people,
      uniqueMediaPlayed: of((one) => isPlayed(one, 0)).people,
      uniqueMediaPlayed100Percent: of((one) => isPlayed(one, 100)).people,
    },
    messages: seqs.map((seq) => {
      const seen = of((one) => one.kind === 'impression' && one.seq === seq);
      const started = of((one) => one.seq === seq && isPlayed(one, 0));
      const reached = percents.map(
        (percent) => [percent, of((one) => one.seq === seq && isPlayed(one, percent))] as const,
      );
      const total = reached.map(([percent, { count }]) => [`mediaPlayed${percent}Percent`, count]);
      const unique = reached.map(([percent, { people }]) => [`uniqueMediaPlayed${percent}Percent`, people]);
      return {
        seq,
        impression: seen.count,
        ...(isUnit ? { uniqueImpression: seen.people } : {}),
        mediaPlayed: started.count,
        ...Object.fromEntries(total),
        uniqueMediaPlayed: started.people,
        ...Object.fromEntries(unique),
      };
    }),
    clicks: [...links.values()].map(({ seq, url }) => {
      const here = of((one) => one.kind === 'click' && one.seq === seq && one.url === url);
      const anywhere = of((one) => one.kind === 'click' && one.url === url);
      return { seq, url, click: here.count, uniqueClick: here.people, uniqueClickOfRequest: anywhere.people };
    }),
  };
}

function shown(interactions: readonly Interaction[]): { count: Shown; people: Shown } {
  const people = new Set(interactions.map(({ userId }) => userId)).size;
  // People are never more than their actions.
  return people < shownMin ? { count: null, people: null } : { count: interactions.length, people };
}
