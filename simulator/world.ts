/**
 * A world: a shop's customers on four platforms over some weeks, what happens to them, and what the owner and LINE know
 * about them. The same options always give the same world. Nothing is counted here (oracle.ts) or sent (platforms.ts).
 */
import { type WebhookPlatformName, webhookPlatformNames } from '../src/platforms/platform.ts';
import { dayMs, secondMs } from '../src/time.ts';
import { Calendar } from './calendar.ts';
import { Chance, chanceOf } from './chance.ts';
import { newPerson } from './diary.ts';
import { type Happening, type Person, personKey, type What } from './happening.ts';
import { type LineAccount, lineAccountOf } from './line-account.ts';
import { groupLife, lifeOf } from './lives.ts';

export type Tag = { person: Person; tag: string };

/** A change of a person's points, in the order in which the owner books them. `expiresAt` in ms; null: never. */
export type PointsChange = {
  key: string;
  /** When it is booked, ms. */
  at: number;
  person: Person;
  kind: 'earn' | 'spend';
  amount: number;
  expiresAt: number | null;
};

export type World = {
  /** The end of the world's time, ms: nothing happens after it. */
  until: number;
  people: Person[];
  /** In order of time. */
  happenings: Happening[];
  tags: Tag[];
  points: PointsChange[];
  /** What LINE reports about the account; null: no snapshots. */
  line: LineAccount | null;
  /** Whether the shop has a live chat; nobody of a new world writes in it. */
  hasLiveChat: boolean;
};

export type WorldOptions = {
  seed: number;
  /** ms */
  until: number;
  /** About 15 events come of each person. */
  people?: number;
  days?: number;
  /** Whether LINE's own reports are part of it. */
  lineReports?: boolean;
  /** What happened on LINE, and what LINE reports, told by LINE's side; without it LINE's people live here like the others. */
  line?: { happenings: readonly Happening[]; account: LineAccount };
};

const shares: Record<WebhookPlatformName, number> = {
  line: 0.4,
  facebook: 0.22,
  instagram: 0.16,
  whatsapp: 0.22,
};
const tagNames = ['VIP', '新客', '台北門市', 'リピーター', 'newsletter'] as const;
const expiryDays = [14, 30, 90, 180] as const;

/** Makes the world of the options. Gives the same again for the same options. */
export function createWorld(options: WorldOptions): World {
  const { seed, until, people: count = 500, days = 60, lineReports = true, line } = options;
  const chance = new Chance(seed);
  const calendar = new Calendar(chance, until - days * dayMs, until);
  const platforms = webhookPlatformNames.filter((platform) => platform !== 'line' || !line);
  const people = platforms.flatMap((platform) =>
    Array.from({ length: Math.ceil(count * shares[platform]) }, () => newPerson(platform, chance)),
  );
  const lives = people.flatMap((person) => lifeOf(person, chance, calendar));
  const groups = groupsOf(people, chance, calendar);
  const happenings = [...lives, ...groups, ...(line?.happenings ?? [])].sort((a, b) => a.at - b.at);
  const seen = peopleIn(happenings);
  const reported = () => lineAccountOf(people, happenings, { chance, from: calendar.from, until });
  return {
    until,
    people,
    happenings,
    tags: seen.flatMap((person) => tagsOf(person, seed)),
    points: pointsOf(seen, firstTimes(happenings), { seed, until }),
    line: line?.account ?? (lineReports ? reported() : null),
    hasLiveChat: false,
  };
}

/** The world with more happenings, such as those of a later trickle. */
export function withHappenings(world: World, more: readonly Happening[]): World {
  return { ...world, happenings: [...world.happenings, ...more].sort((a, b) => a.at - b.at) };
}

const inTouch: readonly What[] = ['message', 'follow', 'unfollow', 'postback', 'optin', 'referral'];

/** Everybody who got in touch in a chat of two, each once. */
export function peopleIn(happenings: readonly Happening[]): Person[] {
  const people = new Map<string, Person>();
  for (const { person, what } of happenings) {
    if (person && inTouch.includes(what)) people.set(personKey(person), person);
  }
  return [...people.values()];
}

function groupsOf(people: readonly Person[], chance: Chance, calendar: Calendar): Happening[] {
  return (['line', 'whatsapp'] as const).flatMap((platform) => {
    const writers = people.filter((person) => person.platform === platform);
    const count = Math.ceil(writers.length / 12);
    return Array.from({ length: count }, () => {
      const start = chance.whole(0, Math.max(0, writers.length - 4));
      return groupLife(writers.slice(start, start + 4), chance, calendar);
    }).flat();
  });
}

// Each person has a chance of their own, so that who comes later changes nothing for those who were there.
function tagsOf(person: Person, seed: number): Tag[] {
  const chance = chanceOf(seed, 'tags', personKey(person));
  const count = chance.weighted({ none: 55, one: 30, more: 15 });
  const length = { none: 0, one: 1, more: chance.whole(2, tagNames.length) }[count];
  return tagNames.slice(0, length).map((tag) => ({ person, tag }));
}

/** When each person is first heard of, ms, by key. */
function firstTimes(happenings: readonly Happening[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const { person, at } of happenings) {
    if (person && !times.has(personKey(person))) times.set(personKey(person), at);
  }
  return times;
}

type Span = { seed: number; until: number };

function pointsOf(
  people: readonly Person[],
  since: ReadonlyMap<string, number>,
  { seed, until }: Span,
): PointsChange[] {
  return people
    .flatMap((person) => pointsOfOne(person, { seed, since: since.get(personKey(person)) ?? until, until }))
    .sort((a, b) => a.at - b.at);
}

// Booked at one time of the day, from the person's first day on. The spends are within what the lot that never expires holds,
// which is booked first, so that none is refused.
function pointsOfOne(person: Person, { seed, since, until }: Span & { since: number }): PointsChange[] {
  const chance = chanceOf(seed, 'points', personKey(person));
  const changes: PointsChange[] = [];
  const book = (kind: 'earn' | 'spend', days: number, amount: number, lastsDays: number | null) => {
    const at = until - days * dayMs;
    const expiresAt = lastsDays === null ? null : at + lastsDays * dayMs - (at % secondMs);
    const key = `sandbox ${personKey(person)} ${changes.length + 1}`;
    changes.push({ key, at, person, kind, amount, expiresAt });
  };
  if (chance.happens(0.4)) return [];
  const daysKnown = Math.max(0, Math.floor((until - since) / dayMs));
  const daysAgo = chance.whole(Math.ceil(daysKnown / 2), daysKnown);
  const lasting = chance.whole(10, 500);
  book('earn', daysAgo, lasting, null);
  for (let lots = chance.whole(0, 3); lots > 0; lots -= 1) {
    book('earn', chance.whole(0, daysAgo), chance.whole(1, 200), chance.pick(expiryDays));
  }
  if (chance.happens(0.5)) book('spend', chance.whole(0, daysAgo), chance.whole(1, lasting), null);
  return changes;
}
