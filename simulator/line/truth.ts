/**
 * The truth of every figure: what LINE knows without waiting, rounding or hiding, and beside it `told`, what somebody must
 * count who got every webhook that was delivered, each once. Between the two lies the gap that a reconciliation shows.
 */
import { dayMs, dayOf, daysBetween, hourMs, lineDayStart, lineZone } from '../../src/time.ts';
import type { Happening } from '../happening.ts';
import type { LineAccount } from '../line-account.ts';
import type { Account, Send } from './account.ts';
import { demographicAt } from './insight.ts';
import type { EventRecord } from './outbox.ts';
import type { Simulation } from './simulation.ts';

/** Figures at the end of a day, or now. */
export type Counts = { followers: number; blocks: number; messagesIn: number };
export type DayTruth = Counts & {
  /** `YYYY-MM-DD`, UTC+9. */
  day: string;
  messagesOut: Record<string, number>;
  told: Counts;
};

export type SendTruth = {
  requestId: string;
  kind: Send['kind'];
  sentAt: number;
  unit: string | null;
  recipients: string[];
  impressions: number;
  uniqueImpressions: number;
  clicks: { seq: number; url: string; clicks: number; people: number }[];
  uniqueClicks: number;
  plays: number;
  uniquePlays: number;
};

export type EventTruth = {
  webhookEventId: string;
  what: Happening['what'];
  userId: string | null;
  at: number;
  state: EventRecord['state'];
  attempts: number;
  deliveredAt: number | null;
};

export type Truth = Counts & {
  now: number;
  firstDay: string;
  targetedReaches: number;
  messagesOut: Record<string, number>;
  quotaUsage: number;
  told: Counts;
  /** `messagesIn` of a day is that day's; followers and blocks are those at its end. */
  days: DayTruth[];
  sends: SendTruth[];
  events: EventTruth[];
};

/** The truth at the simulation's instant. */
export function truthOf(simulation: Simulation): Truth {
  const { account, outbox } = simulation;
  const now = simulation.now();
  const told = outbox.told();
  const days = daysBetween(account.firstDay, dayOf(now, lineZone)).map((day): DayTruth => {
    const from = lineDayStart(day);
    const until = Math.min(now, from + dayMs - 1);
    return {
      day,
      ...countsOf(account, { from, until }),
      messagesOut: account.deliveriesOn(day),
      told: toldCounts(told, { from, until }),
    };
  });
  const all = { from: 0, until: now };
  return {
    now,
    firstDay: account.firstDay,
    ...countsOf(account, all),
    targetedReaches: account.audienceAt(now).targetedReaches,
    messagesOut: summed(days.map(({ messagesOut }) => messagesOut)),
    quotaUsage: account.usageAt(now),
    told: toldCounts(told, all),
    days,
    sends: account.sends.map((send) => sendTruth(send, now)),
    events: [...outbox.events.values()].map(({ happening, state, attempts, deliveredAt }) => ({
      webhookEventId: happening.id,
      what: happening.what,
      userId: happening.person?.id ?? null,
      at: happening.at,
      state,
      attempts,
      deliveredAt,
    })),
  };
}

/**
 * What LINE's calls would answer at the simulation's instant: the days that are ready, the shares, the quota (0 for none).
 */
export function reportedBy(
  simulation: Simulation,
  { quota, readyAfterHours }: { quota: number | null; readyAfterHours: number },
): LineAccount {
  const { account } = simulation;
  const now = simulation.now();
  const readyDay = dayOf(now - dayMs - readyAfterHours * hourMs, lineZone);
  const days = daysBetween(account.firstDay, readyDay);
  return {
    readyDay,
    followers: new Map(days.map((day) => [day, account.audienceAt(lineDayStart(day) + dayMs - 1)])),
    sends: new Map(days.map((day) => [day, account.deliveriesOn(day)])),
    demographic: demographicAt(account, now),
    quota: { value: quota ?? 0, totalUsage: account.usageAt(now) },
  };
}

type Span = { from: number; until: number };

function countsOf(account: Account, { from, until }: Span): Counts {
  const { followers, blocks } = account.audienceAt(until);
  return { followers, blocks, messagesIn: messagesIn(account.happenings, { from, until }) };
}

function messagesIn(happenings: readonly Happening[], { from, until }: Span): number {
  return happenings.filter(
    ({ what, at }) => (what === 'message' || what === 'group-message') && at >= from && at <= until,
  ).length;
}

// By the events alone: who blocks must have been a friend; the latest event decides, of two at one time the larger id.
function toldCounts(told: readonly Happening[], { from, until }: Span): Counts {
  const turns = told
    .filter(({ what, at }) => (what === 'follow' || what === 'unfollow') && at <= until)
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const last = new Map(turns.map(({ person, what }) => [person?.id, what]));
  const blocks = [...last.values()].filter((what) => what === 'unfollow').length;
  return { followers: last.size, blocks, messagesIn: messagesIn(told, { from, until }) };
}

function sendTruth(send: Send, now: number): SendTruth {
  const { requestId, kind, sentAt, unit, recipients } = send;
  const done = send.interactions.filter(({ at }) => at <= now);
  const seen = done.filter((one) => one.kind === 'impression');
  const clicked = done.filter((one) => one.kind === 'click');
  const played = done.filter((one) => one.kind === 'play' && one.percent === 0);
  const links = send.bubbles.flatMap(({ seq, urls }) => urls.map((url) => ({ seq, url })));
  return {
    requestId,
    kind,
    sentAt,
    unit,
    recipients,
    impressions: seen.length,
    uniqueImpressions: peopleIn(seen),
    clicks: links.map(({ seq, url }) => {
      const here = clicked.filter((one) => one.seq === seq && one.url === url);
      return { seq, url, clicks: here.length, people: peopleIn(here) };
    }),
    uniqueClicks: peopleIn(clicked),
    plays: played.length,
    uniquePlays: peopleIn(played),
  };
}

function peopleIn(list: readonly { userId: string }[]): number {
  return new Set(list.map(({ userId }) => userId)).size;
}

function summed(list: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, count] of list.flatMap(Object.entries<number>)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
