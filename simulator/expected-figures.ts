/**
 * The expected value of each figure, counted from the world by the definitions of docs/figures.md, without the server's code.
 * Tests and the demo compare the server with it, so it is simple rather than fast.
 */
import type { PlatformName } from '../src/platforms/platform.ts';
import { addDays, lineDayStart, minuteMs } from '../src/time.ts';
import { audienceOf, endsBlocked, followHistories, isInboundMessage } from './events/audience.ts';
import {
  byTimeAndId,
  type EventKind,
  type MessageStatus,
  type Person,
  personKey,
  type SimulatedEvent,
} from './events/event.ts';
import type { World } from './world.ts';

export type ExpectedFigures = {
  followers: number;
  blocks: number;
  /** Inbound and outbound. */
  messages: number;
  conversations: number;
  conversationMessages: number;
  /** The sum of the conversations' durations, ms. */
  conversationMs: number;
  taggedContacts: number;
};

const conversationGapMs = 15 * minuteMs;

/** The events that make a person a follower, where follows are not events of their own. */
const followingKinds: Record<Exclude<PlatformName, 'line'>, readonly EventKind[]> = {
  facebook: ['message', 'postback', 'optin', 'referral'],
  instagram: ['message', 'postback'],
  whatsapp: ['message', 'postback'],
  liveChat: ['message'],
};

/** The figures of a platform over all time. */
export function expectedFigures(world: World, platform: PlatformName): ExpectedFigures {
  const events = world.events.filter((event) => event.platform === platform);
  const conversations = conversationsOf(events);
  const tagged = world.tags.filter(({ person }) => person.platform === platform);
  const messages = events.filter((event) => messageTime(event) !== null && !isInDeliveryReport(event));
  return {
    ...(platform === 'line'
      ? lineAudience(world, events)
      : { followers: firstContacts(events, platform).length, blocks: 0 }),
    messages: messages.length + (platform === 'line' ? lineSends(world) : 0),
    conversations: conversations.length,
    conversationMessages: sum(conversations.map(({ length }) => length)),
    conversationMs: sum(conversations.map((messages) => messages.at(-1)!.at - messages[0]!.at)),
    taggedContacts: new Set(tagged.map(({ person }) => personKey(person))).size,
  };
}

/** The person's available points at the instant (ms). */
export function expectedPoints(world: World, person: Person, at: number): number {
  const lots: { rest: number; expiresAt: number }[] = [];
  for (const change of world.points) {
    if (personKey(change.person) !== personKey(person)) continue;
    if (change.kind === 'earn') {
      lots.push({ rest: change.amount, expiresAt: change.expiresAt ?? Number.POSITIVE_INFINITY });
      continue;
    }
    let due = change.amount;
    const valid = lots.filter(({ expiresAt }) => expiresAt > change.at);
    // The sort is stable: lots with the same expiry stay in the order of earning.
    for (const lot of valid.sort((a, b) => (a.expiresAt === b.expiresAt ? 0 : a.expiresAt - b.expiresAt))) {
      const amount = Math.min(due, lot.rest);
      lot.rest -= amount;
      due -= amount;
    }
  }
  return sum(lots.filter(({ expiresAt }) => expiresAt > at).map(({ rest }) => rest));
}

/** Messages of the kind in LINE's delivery reports of the month (`YYYY-MM`, UTC+9). */
export function expectedLineSends(world: World, kind: string, month: string): number {
  const days = [...(world.line?.sends ?? [])].filter(([day]) => day.startsWith(month));
  return sum(days.map(([, counts]) => counts[kind] ?? 0));
}

// LINE's latest report, and the events after its end.
function lineAudience(
  { line }: World,
  events: readonly SimulatedEvent[],
): { followers: number; blocks: number } {
  const reported = line?.followers.get(line.readyDay);
  if (!line || !reported) return audienceOf(events);
  const reportEnd = lineDayStart(addDays(line.readyDay, 1));
  const histories = followHistories(events);
  const adds = histories.flatMap((history) => firstAdd(history) ?? []);
  const blockedAtEnd = histories.filter((history) => isBlockedAt(history, reportEnd)).length;
  return {
    followers: reported.followers + adds.filter(({ at }) => at >= reportEnd).length,
    blocks: Math.max(0, reported.blocks + histories.filter(endsBlocked).length - blockedAtEnd),
  };
}

/** Our own count of LINE's audience at the end of a day (UTC+9), from the events after the first report (docs/figures.md, section 12). */
export function expectedLineAudience(
  events: readonly SimulatedEvent[],
  day: string,
): { followers: number; blocks: number } {
  const end = lineDayStart(addDays(day, 1));
  const histories = followHistories(events.filter(({ platform }) => platform === 'line'));
  const blockedAt = (at: number) => histories.filter((history) => isBlockedAt(history, at)).length;
  const adds = histories.flatMap((history) => firstAdd(history) ?? []);
  return { followers: adds.filter(({ at }) => at < end).length, blocks: blockedAt(end) - blockedAt(0) };
}

/** The first event of each person by which the person became a follower, where follows are not events of their own. */
export function firstContacts(
  events: readonly SimulatedEvent[],
  platform: Exclude<PlatformName, 'line'>,
): SimulatedEvent[] {
  const kinds = followingKinds[platform];
  const ofPlatform = events.filter((event) => event.platform === platform);
  return historiesOf(ofPlatform).flatMap((history) => history.find(({ kind }) => kinds.includes(kind)) ?? []);
}

/** The times of the messages that the business sent on WhatsApp, ms. */
export function whatsappSendTimes(events: readonly SimulatedEvent[]): number[] {
  const sent = events.filter((event) => event.platform === 'whatsapp' && !isInboundMessage(event));
  return sent.flatMap((event) => messageTime(event) ?? []);
}

/** The follow that adds the account; null for a person who was a friend before the first event. */
function firstAdd(history: readonly SimulatedEvent[]): SimulatedEvent | null {
  const add = history.find(({ kind, form }) => kind === 'follow' && form !== 'unblocked');
  return add && history.every(({ at }) => at >= add.at) ? add : null;
}

// A person whose first event is an unblock had blocked the account before it.
function isBlockedAt(history: readonly SimulatedEvent[], at: number): boolean {
  const [first] = history;
  if (!first || first.at < at) return endsBlocked(history.filter((event) => event.at < at));
  return first.kind === 'follow' && first.form === 'unblocked';
}

/** The events of each person in order, without those in groups. */
function historiesOf(events: readonly SimulatedEvent[]): SimulatedEvent[][] {
  const direct = events.filter(({ person, groupId }) => person && groupId === undefined);
  const byPerson = Map.groupBy(direct, ({ person }) => personKey(person!));
  return [...byPerson.values()].map((history) => history.sort(byTimeAndId));
}

type Message = { at: number; isInbound: boolean };

/** The conversations: messages without a longer gap, at least one of them inbound. */
function conversationsOf(events: readonly SimulatedEvent[]): Message[][] {
  return historiesOf(events).flatMap((history) => {
    const messages = history.flatMap((event): Message[] => {
      const at = messageTime(event);
      return at === null ? [] : [{ at, isInbound: event.kind === 'message' }];
    });
    const conversations: Message[][] = [];
    for (const message of messages.sort((a, b) => a.at - b.at)) {
      const current = conversations.at(-1);
      if (current && message.at - current.at(-1)!.at <= conversationGapMs) current.push(message);
      else conversations.push([message]);
    }
    return conversations.filter((conversation) => conversation.some(({ isInbound }) => isInbound));
  });
}

/** The time at which the event counts as a message; null: it is not a message. */
function messageTime(event: SimulatedEvent): number | null {
  const { platform, kind, at, statuses } = event;
  if (isInboundMessage(event)) return at;
  if (kind !== 'answer' && kind !== 'group-answer') return null;
  return platform === 'whatsapp' ? earliestProof(statuses ?? []) : at;
}

// Every status except `failed` proves that the message was sent.
function earliestProof(statuses: readonly MessageStatus[]): number | null {
  const times = statuses.filter(({ status }) => status !== 'failed').map(({ at }) => at);
  return times.length > 0 ? Math.min(...times) : null;
}

// An answer on LINE belongs to its conversation, but LINE's delivery report already counts it.
function isInDeliveryReport({ platform, kind }: SimulatedEvent): boolean {
  return platform === 'line' && kind === 'answer';
}

function lineSends({ line }: World): number {
  return sum([...(line?.sends.values() ?? [])].flatMap((counts) => Object.values(counts)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
