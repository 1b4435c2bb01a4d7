/**
 * What LINE knows about the account and tells by day in UTC+9: friends and blocks (those from before the channel was
 * connected among them), what was sent, who the friends are, the quota. The answers have the shapes of LINE's own calls
 * (Insight: followers, message/delivery, demographic; message/quota and its consumption).
 */
import { addDays, dayMs, dayOf, daysBetween, lineDayStart, lineZone } from '../src/time.ts';
import type { Chance } from './chance.ts';
import { type Happening, type Person, personKey } from './happening.ts';
import {
  ageNames,
  appTypeNames,
  areaNames,
  type Demographic,
  demographicOf,
  genderNames,
  periodNames,
} from './line-attributes.ts';

export type DeliveryCounts = Record<string, number>;
export type LineAccount = {
  /** The last day that is `ready`. */
  readyDay: string;
  /** Friends and blocks at the end of each ready day. */
  followers: Map<string, { followers: number; blocks: number }>;
  /** Messages sent on each ready day, one for each recipient. */
  sends: Map<string, DeliveryCounts>;
  demographic: Demographic;
  quota: { value: number; totalUsage: number };
};

/** One answer of LINE, to be imported as a snapshot of its day. */
export type LineAnswer = {
  kind: 'followers' | 'delivery' | 'demographic' | 'quota';
  day: string;
  value: object;
};

// LINE usually has a day ready on the next one; the day before yesterday surely is.
const readyAfterDays = 2;

/** LINE's knowledge at the end of the world. */
export function lineAccountOf(
  people: readonly Person[],
  happenings: readonly Happening[],
  { chance, from, until }: { chance: Chance; from: number; until: number },
): LineAccount {
  const readyDay = addDays(dayOf(until, lineZone), -readyAfterDays);
  const days = daysBetween(dayOf(from, lineZone), readyDay);
  const before = people.filter((person) => person.friendBefore).length + chance.whole(100, 900);
  const blockedBefore = chance.whole(10, Math.floor(before / 8) + 10);
  const followers = new Map(
    days.map((day) => {
      const known = statesAtEndOf(day, happenings);
      const added = known.filter(({ person }) => !person.friendBefore).length;
      const blocks = blockedBefore + known.filter(({ blocked }) => blocked).length;
      return [day, { followers: before + added, blocks }];
    }),
  );
  const sends = new Map(days.map((day) => [day, sendsOf(day, happenings, chance)]));
  const value = chance.pick([200, 3_000, 6_000]);
  return {
    readyDay,
    followers,
    sends,
    demographic: demographicByChance(chance),
    quota: { value, totalUsage: chance.whole(0, value) },
  };
}

/** Everything LINE would answer, a later day `unready`, as its calls give it. */
export function lineAnswersOf(account: LineAccount): LineAnswer[] {
  const nextDay = addDays(account.readyDay, 1);
  const ready = (kind: 'followers' | 'delivery') => (day: string, counts: object) => ({
    kind,
    day,
    value: { status: 'ready', ...counts },
  });
  return [
    ...[...account.followers].map(([day, { followers, blocks }]) =>
      ready('followers')(day, { followers, blocks, targetedReaches: followers - blocks }),
    ),
    ...[...account.sends].map(([day, counts]) => ready('delivery')(day, counts)),
    { kind: 'followers', day: nextDay, value: { status: 'unready' } },
    { kind: 'delivery', day: nextDay, value: { status: 'unready' } },
    { kind: 'demographic', day: account.readyDay, value: account.demographic },
    { kind: 'quota', day: nextDay, value: { type: 'limited', ...account.quota } },
  ];
}

function statesAtEndOf(
  day: string,
  happenings: readonly Happening[],
): { person: Person; blocked: boolean }[] {
  const end = lineDayStart(day) + dayMs;
  const states = new Map<string, { person: Person; blocked: boolean }>();
  const told = happenings.filter(({ platform, at }) => platform === 'line' && at < end);
  for (const { what, person } of [...told].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))) {
    if (!person || (what !== 'follow' && what !== 'unfollow')) continue;
    states.set(personKey(person), { person, blocked: what === 'unfollow' });
  }
  return [...states.values()];
}

// Kinds that a day had nothing of are left out, as LINE does; `stepMessage` is a kind that the contract does not name.
function sendsOf(day: string, happenings: readonly Happening[], chance: Chance): DeliveryCounts {
  const written = happenings.filter(
    ({ platform, what, at }) => platform === 'line' && what === 'message' && dayOf(at, lineZone) === day,
  ).length;
  const counts = {
    apiReply: Math.round(written * 0.7),
    apiPush: chance.whole(0, 30),
    apiBroadcast: chance.happens(0.15) ? chance.whole(200, 900) : 0,
    autoResponse: chance.whole(0, 5),
    welcomeResponse: chance.whole(0, 4),
    chat: Math.round(written * 0.2),
    stepMessage: chance.happens(0.1) ? chance.whole(1, 50) : 0,
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

function demographicByChance(chance: Chance): Demographic {
  const weights = (names: readonly string[]) => names.map((name) => [name, chance.whole(1, 100)] as const);
  const ages = weights(ageNames);
  return demographicOf({
    ages,
    genders: weights(genderNames),
    areas: weights(areaNames),
    appTypes: weights(appTypeNames),
    subscriptionPeriods: weights(periodNames),
  });
}
