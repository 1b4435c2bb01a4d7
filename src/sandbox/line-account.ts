/**
 * What LINE knows about the account and tells by day in UTC+9: friends and blocks (those from before the channel was
 * connected among them), what was sent, who the friends are, the quota. The answers have the shapes of LINE's own calls
 * (Insight: followers, message/delivery, demographic; message/quota and its consumption).
 */
import { addDays, dayMs, dayOf, lineDayStart, lineZone } from '../time.ts';
import type { Chance } from './chance.ts';
import { type Happening, type Person, personKey } from './happening.ts';

export type DeliveryCounts = Record<string, number>;
export type Share = { percentage: number };
export type Demographic = {
  available: boolean;
  genders: (Share & { gender: string })[];
  ages: (Share & { age: string })[];
  areas: (Share & { area: string })[];
  appTypes: (Share & { appType: string })[];
  subscriptionPeriods: (Share & { subscriptionPeriod: string })[];
};

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
    demographic: demographicOf(chance),
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

function demographicOf(chance: Chance): Demographic {
  const shares = (names: readonly string[]) => percentages(names, chance);
  const ages = shares(ageNames);
  const over50 = ages
    .filter(([age]) => agesOver50.includes(age))
    .reduce((sum, [, tenths]) => sum + tenths, 0);
  ages.push(['from50', over50]);
  return {
    available: true,
    genders: listed(shares(['male', 'female', 'unknown'])).map(([gender, percentage]) => ({
      gender,
      percentage,
    })),
    ages: listed(ages).map(([age, percentage]) => ({ age, percentage })),
    areas: listed(shares(areaNames)).map(([area, percentage]) => ({ area, percentage })),
    appTypes: listed(shares(['ios', 'android', 'others'])).map(([appType, percentage]) => ({
      appType,
      percentage,
    })),
    subscriptionPeriods: listed(shares(periodNames)).map(([subscriptionPeriod, percentage]) => ({
      subscriptionPeriod,
      percentage,
    })),
  };
}

// Largest first, as LINE's answers are; tenths become percent.
function listed(shares: readonly [string, number][]): [string, number][] {
  return [...shares].sort((a, b) => b[1] - a[1]).map(([name, tenths]) => [name, tenths / 10]);
}

const agesOver50 = ['from50to54', 'from55to59', 'from60to64', 'from65to69', 'from70'];
const ageNames = ['from15to19', 'from20to24', 'from25to29', 'from30to34', 'from35to39', 'from40to44'].concat(
  ['from45to49', 'unknown'],
  agesOver50,
);
const areaNames = [
  '台北市',
  '新北市',
  '基隆市',
  '桃園市',
  '新竹市',
  '新竹縣',
  '苗栗縣',
  '台中市',
  '彰化縣',
].concat(
  [
    '南投縣',
    '雲林縣',
    '嘉義市',
    '嘉義縣',
    '台南市',
    '高雄市',
    '屏東縣',
    '宜蘭縣',
    '花蓮縣',
    '台東縣',
    '澎湖縣',
  ],
  ['金門縣', '連江縣', 'unknown'],
);
const periodNames = ['within7days', 'within30days', 'within90days', 'within180days', 'within365days'].concat(
  'over365days',
  'unknown',
);

// In tenths of a percent, each rounded on its own, as LINE's are.
function percentages(names: readonly string[], chance: Chance): [string, number][] {
  const weights = names.map((name) => ({ name, weight: chance.whole(1, 100) }));
  const sum = weights.reduce((total, { weight }) => total + weight, 0);
  return weights.map(({ name, weight }) => [name, Math.round((weight / sum) * 1_000)]);
}

function daysBetween(first: string, last: string): string[] {
  const days: string[] = [];
  for (let day = first; day <= last; day = addDays(day, 1)) days.push(day);
  return days;
}
