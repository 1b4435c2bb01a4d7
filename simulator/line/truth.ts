/**
 * The true figures, without LINE's delays, rounding and null rules. `told` holds the figures that a receiver of every delivered
 * webhook must count. The difference is the gap that a reconciliation shows.
 */
import { dayMs, dayOf, daysBetween, lineDayStart, lineZone } from '../../src/time.ts';
import { audienceOf, isInboundMessage } from '../events/audience.ts';
import type { SimulatedEvent } from '../events/event.ts';
import type { Account, Send } from './account.ts';
import type { EventRecord, Outbox } from './outbox.ts';
import { peopleIn } from './statistics.ts';

/** Figures at the end of a day, or now. */
export type Counts = { followers: number; blocks: number; messagesIn: number };
type DayTruth = Counts & {
  /** `YYYY-MM-DD`, UTC+9. */
  day: string;
  messagesOut: Record<string, number>;
  told: Counts;
};

type SendTruth = Pick<Send, 'requestId' | 'kind' | 'sentAt' | 'unit' | 'recipients'> & {
  impressions: number;
  uniqueImpressions: number;
  clicks: { seq: number; url: string; clicks: number; people: number }[];
  uniqueClicks: number;
  plays: number;
  uniquePlays: number;
};

type EventTruth = Pick<EventRecord, 'state' | 'attempts' | 'deliveredAt'> & {
  webhookEventId: string;
  what: SimulatedEvent['kind'];
  userId: string | null;
  at: number;
};

export type Truth = Counts & {
  now: number;
  firstDay: string;
  targetedReaches: number;
  messagesOut: Record<string, number>;
  quotaUsage: number;
  told: Counts;
  /** Followers and blocks at the end of each day, messages of the day. */
  days: DayTruth[];
  sends: SendTruth[];
  events: EventTruth[];
};

/** The truth at the simulated instant. */
export function truthOf({ account, outbox }: { account: Account; outbox: Outbox }, now: number): Truth {
  const delivered = outbox.deliveredEvents();
  const days = daysBetween(account.firstDay, dayOf(now, lineZone)).map((day): DayTruth => {
    const from = lineDayStart(day);
    const until = Math.min(now, from + dayMs - 1);
    return {
      day,
      ...countsOf(account, { from, until }),
      messagesOut: account.deliveriesOn(day),
      told: countsByEvents(delivered, { from, until }),
    };
  });
  const always = { from: 0, until: now };
  return {
    now,
    firstDay: account.firstDay,
    ...countsOf(account, always),
    targetedReaches: account.audienceAt(now).targetedReaches,
    messagesOut: summed(days.map(({ messagesOut }) => messagesOut)),
    quotaUsage: account.usageAt(now),
    told: countsByEvents(delivered, always),
    days,
    sends: account.sends.map((send) => sendTruth(send, now)),
    events: [...outbox.events.values()].map(({ event, state, attempts, deliveredAt }) => ({
      webhookEventId: event.id,
      what: event.kind,
      userId: event.person?.id ?? null,
      at: event.at,
      state,
      attempts,
      deliveredAt,
    })),
  };
}

type Period = { from: number; until: number };

function countsOf(account: Account, period: Period): Counts {
  const { followers, blocks } = account.audienceAt(period.until);
  return { followers, blocks, messagesIn: messagesIn(account.events, period) };
}

function countsByEvents(events: readonly SimulatedEvent[], period: Period): Counts {
  const audience = audienceOf(events.filter(({ at }) => at <= period.until));
  return { ...audience, messagesIn: messagesIn(events, period) };
}

function messagesIn(events: readonly SimulatedEvent[], { from, until }: Period): number {
  return events.filter((event) => isInboundMessage(event) && event.at >= from && event.at <= until).length;
}

function sendTruth(send: Send, now: number): SendTruth {
  const { requestId, kind, sentAt, unit, recipients } = send;
  const interactions = send.interactions.filter(({ at }) => at <= now);
  const impressions = interactions.filter((one) => one.kind === 'impression');
  const clicks = interactions.filter((one) => one.kind === 'click');
  const plays = interactions.filter((one) => one.kind === 'play' && one.percent === 0);
  const links = send.bubbles.flatMap(({ seq, urls }) => urls.map((url) => ({ seq, url })));
  return {
    ...{ requestId, kind, sentAt, unit, recipients },
    impressions: impressions.length,
    uniqueImpressions: peopleIn(impressions),
    clicks: links.map(({ seq, url }) => {
      const ofLink = clicks.filter((click) => click.seq === seq && click.url === url);
      return { seq, url, clicks: ofLink.length, people: peopleIn(ofLink) };
    }),
    uniqueClicks: peopleIn(clicks),
    plays: plays.length,
    uniquePlays: peopleIn(plays),
  };
}

function summed(counts: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, count] of counts.flatMap(Object.entries<number>)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
