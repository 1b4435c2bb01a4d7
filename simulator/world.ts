/**
 * A world: customers of one shop on four platforms over some weeks, their events, and the data of the owner and of LINE. The
 * same options always give the same world. Figures: expected-figures.ts. Webhook requests: deliveries.ts.
 */
import { dayMs, dayOf, daysBetween, hourMs, lineDayStart, lineZone, secondMs } from '../src/time.ts';
import { Calendar } from './events/calendar.ts';
import { eventsOfPerson, groupConversation } from './events/customers.ts';
import { type EventKind, type Person, personKey, type SimulatedEvent } from './events/event.ts';
import { newPerson } from './events/ids.ts';
import { randomOf, SeededRandom } from './events/random.ts';
import { EventRecorder } from './events/recorder.ts';
import { type Account, newSend, type SendKind } from './line/account.ts';
import { undisturbed } from './line/outbox.ts';
import { type LineReport, reportOf } from './line/report.ts';
import { Simulation } from './line/simulation.ts';

export type Tag = { person: Person; tag: string };

/** A change of a person's points, in the order in which the owner books them. `expiresAt` in ms; null: never. */
export type PointsChange = {
  key: string;
  /** The time of booking, ms. */
  at: number;
  person: Person;
  kind: 'earn' | 'spend';
  amount: number;
  expiresAt: number | null;
};

export type World = {
  /** The end of the world's time, ms: the last possible event. */
  until: number;
  /** In order of time. */
  events: SimulatedEvent[];
  tags: Tag[];
  points: PointsChange[];
  /** LINE's own report about the account; null: no snapshots. */
  line: LineReport | null;
  /** True when the shop has a live chat. A new world has no messages in it. */
  hasLiveChat: boolean;
};

export type WorldOptions = {
  seed: number;
  /** ms */
  until: number;
  /** Each person has about 15 events. */
  people?: number;
  days?: number;
  /** False: a world without LINE's own report. */
  hasLineReport?: boolean;
  /** The LINE part, from a running LINE simulator. Without it the world simulates its own. */
  line?: { events: readonly SimulatedEvent[]; report: LineReport };
  /** The part of Messenger, Instagram and WhatsApp, from a running Meta simulator. Without it the world simulates its own. */
  meta?: readonly SimulatedEvent[];
};

const otherShares = { facebook: 0.22, instagram: 0.16, whatsapp: 0.22 } as const;
const lineShare = 0.4;
/** Days of the LINE account before the channel was connected: LINE counts their friends, webhooks did not report them. */
const lineDaysBefore = 30;
const lineQuota = 3_000;
const lineReadyAfterHours = 10;
const tagNames = ['VIP', '新客', '台北門市', 'リピーター', 'newsletter'] as const;
const expiryDays = [14, 30, 90, 180] as const;

/** Creates the world of the options. */
export function createWorld(options: WorldOptions): World {
  const { seed, until, people: count = 500, days = 60, hasLineReport = true } = options;
  const random = new SeededRandom(seed);
  const calendar = new Calendar(random, until - days * dayMs, until);
  const line = options.line ?? simulatedLine(calendar, { seed, people: Math.ceil(count * lineShare) });
  const meta = options.meta ?? simulatedOthers(random, calendar, count);
  const events = [...meta, ...line.events].sort((a, b) => a.at - b.at);
  const contacts = peopleIn(events);
  return {
    until,
    events,
    tags: contacts.flatMap((person) => tagsOf(person, seed)),
    points: pointsOf(contacts, firstTimes(events), { seed, until }),
    line: hasLineReport ? line.report : null,
    hasLiveChat: false,
  };
}

/** The world with more events, such as those of live traffic. */
export function withEvents(world: World, more: readonly SimulatedEvent[]): World {
  return { ...world, events: [...world.events, ...more].sort((a, b) => a.at - b.at) };
}

const contactKinds: readonly EventKind[] = ['message', 'follow', 'unfollow', 'postback', 'optin', 'referral'];

/** Each person who contacted the shop in a one-to-one chat, once. */
export function peopleIn(events: readonly SimulatedEvent[]): Person[] {
  const people = new Map<string, Person>();
  for (const { person, kind } of events) {
    if (person && contactKinds.includes(kind)) people.set(personKey(person), person);
  }
  return [...people.values()];
}

/** The customers on the other platforms, and WhatsApp's groups. */
function simulatedOthers(random: SeededRandom, calendar: Calendar, count: number): SimulatedEvent[] {
  const platforms = Object.keys(otherShares) as (keyof typeof otherShares)[];
  const people = platforms.flatMap((platform) =>
    Array.from({ length: Math.ceil(count * otherShares[platform]) }, () => ({
      ...newPerson(platform, random),
      platform,
    })),
  );
  const events = people.flatMap((person) => eventsOfPerson(person, random, calendar));
  return [...events, ...whatsappGroups(people, random, calendar)];
}

/** The LINE account of the LINE simulator, without its server: its events of the calendar, and its report at the end. */
function simulatedLine(
  calendar: Calendar,
  { seed, people }: { seed: number; people: number },
): { events: SimulatedEvent[]; report: LineReport } {
  const { from, until } = calendar;
  const { account } = new Simulation({
    clock: () => until,
    seed,
    people,
    pastDays: Math.round((until - from) / dayMs) + lineDaysBefore,
    destination: '',
    channelSecret: '',
    webhook: { endpoint: null, active: false, redelivery: false },
    disturbance: undisturbed,
    opensLinks: false,
  });
  addHardCases(account, randomOf(seed, 'hard cases'), calendar);
  const kinds: readonly SendKind[] = ['reply', 'push', 'push', 'reply', 'broadcast'];
  daysBetween(dayOf(from, lineZone), dayOf(until, lineZone)).forEach((day, index) => {
    const kind = kinds[index % kinds.length] ?? 'push';
    const sentAt = lineDayStart(day) + 12 * hourMs;
    const friends = account.friendsAt(sentAt);
    const recipients = kind === 'broadcast' ? friends : friends.slice(0, 1);
    account.sends.push(newSend({ kind, sentAt, recipients }));
  });
  return {
    events: account.events.filter((event) => calendar.includes(event)),
    report: reportOf(account, { now: until, quota: lineQuota, readyAfterHours: lineReadyAfterHours }),
  };
}

// Cases that people on LINE rarely produce: repeated blocks and unblocks, some at one instant, and events that count nothing.
function addHardCases(account: Account, random: SeededRandom, { from, until }: Calendar): void {
  const calendar = new Calendar(random, from, until);
  for (const { person, follows } of [...account.people.values()]) {
    const recorder = new EventRecorder('line', person, random);
    let at = Math.max(from, follows[0]?.at ?? from);
    const turns = random.chance(0.25) ? random.integer(1, 4) : 0;
    for (let turn = 0; turn < turns; turn += 1) {
      at = random.chance(0.3) ? at : calendar.instant(at);
      if (turn % 2 === 0) recorder.add('unfollow', 'unfollow', at);
      else recorder.add('follow', 'unblocked', at);
    }
    if (random.chance(0.2)) recorder.add('aside', random.pick(['beacon', 'unknown']), calendar.instant(at));
    for (const event of recorder.events) account.record(event);
  }
}

function whatsappGroups(
  people: readonly Person[],
  random: SeededRandom,
  calendar: Calendar,
): SimulatedEvent[] {
  const writers = people.filter(({ platform }) => platform === 'whatsapp');
  return Array.from({ length: Math.ceil(writers.length / 12) }, () => {
    const start = random.integer(0, Math.max(0, writers.length - 4));
    return groupConversation(writers.slice(start, start + 4), random, calendar);
  }).flat();
}

// Each person has a random sequence of their own, so that a new person does not change the others' tags.
function tagsOf(person: Person, seed: number): Tag[] {
  const random = randomOf(seed, 'tags', personKey(person));
  const count = random.weighted({ none: 55, one: 30, more: 15 });
  const length = { none: 0, one: 1, more: random.integer(2, tagNames.length) }[count];
  return tagNames.slice(0, length).map((tag) => ({ person, tag }));
}

/** The time of each person's first event, ms, by key. */
function firstTimes(events: readonly SimulatedEvent[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const { person, at } of events) {
    if (person && !times.has(personKey(person))) times.set(personKey(person), at);
  }
  return times;
}

type Period = { seed: number; until: number };

function pointsOf(
  people: readonly Person[],
  since: ReadonlyMap<string, number>,
  { seed, until }: Period,
): PointsChange[] {
  return people
    .flatMap((person) => pointsOfOne(person, { seed, since: since.get(personKey(person)) ?? until, until }))
    .sort((a, b) => a.at - b.at);
}

// Booked at one time of the day, from the person's first day on. The first lot never expires and covers every spend, so that
// the ledger accepts them all.
function pointsOfOne(person: Person, { seed, since, until }: Period & { since: number }): PointsChange[] {
  const random = randomOf(seed, 'points', personKey(person));
  const changes: PointsChange[] = [];
  const book = (kind: 'earn' | 'spend', daysAgo: number, amount: number, validDays: number | null) => {
    const at = until - daysAgo * dayMs;
    const expiresAt = validDays === null ? null : at + validDays * dayMs - (at % secondMs);
    const key = `sandbox ${personKey(person)} ${changes.length + 1}`;
    changes.push({ key, at, person, kind, amount, expiresAt });
  };
  if (random.chance(0.4)) return [];
  const contactDays = Math.max(0, Math.floor((until - since) / dayMs));
  const firstDaysAgo = random.integer(Math.ceil(contactDays / 2), contactDays);
  const permanent = random.integer(10, 500);
  book('earn', firstDaysAgo, permanent, null);
  for (let lots = random.integer(0, 3); lots > 0; lots -= 1) {
    book('earn', random.integer(0, firstDaysAgo), random.integer(1, 200), random.pick(expiryDays));
  }
  if (random.chance(0.5)) book('spend', random.integer(0, firstDaysAgo), random.integer(1, permanent), null);
  return changes;
}
