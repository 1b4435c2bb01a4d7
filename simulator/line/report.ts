/**
 * LINE's own figures of the account, as its Insight and quota calls answer: by day in UTC+9, for days that are ready. The
 * HTTP calls (insight.ts), the truth and snapshots for import use these functions.
 */
import { addDays, dayMs, dayOf, daysBetween, hourMs, lineDayStart, lineZone } from '../../src/time.ts';
import type { Account, Audience } from './account.ts';
import { type Demographic, demographicOf, periodNames } from './demographic.ts';
import { attributesOf } from './people.ts';

export type LineReport = {
  /** The last day that is `ready`. */
  readyDay: string;
  /** The audience at the end of each ready day. */
  followers: Map<string, Pick<Audience, 'followers' | 'blocks'>>;
  /** Sent messages of each ready day, one per recipient, by LINE's names. */
  sends: Map<string, Record<string, number>>;
  demographic: Demographic;
  quota: { value: number; totalUsage: number };
};

/** An answer of LINE, to be imported as a snapshot of its day. */
type LineSnapshot = {
  kind: 'followers' | 'delivery' | 'demographic' | 'quota';
  day: string;
  value: object;
};

type Readiness = 'ready' | 'unready' | 'out_of_service';

/** The first days of LINE's statistics. Earlier days are `out_of_service`. */
export const firstDays = {
  followers: '2016-11-01',
  deliveries: '2017-03-01',
  counters: '2018-03-31',
} as const;

const demographicAgeMs = 3 * dayMs;
const reachMin = 20;
const periodDays = [7, 30, 90, 180, 365];

/** Whether LINE's figures of the day are ready. `readyAfterHours`: the time from the end of a day until they are. */
export function readinessOf(
  account: Account,
  day: string,
  { since, now, readyAfterHours }: { since: string; now: number; readyAfterHours: number },
): Readiness {
  if (day < account.firstDay || day < since) return 'out_of_service';
  return now >= lineDayStart(day) + dayMs + readyAfterHours * hourMs ? 'ready' : 'unready';
}

/** The demographics of the friends three days ago; not available for too few friends. */
export function demographicAt(account: Account, now: number): Demographic {
  const at = now - demographicAgeMs;
  if (account.audienceAt(at).targetedReaches < reachMin) {
    return { available: false, genders: [], ages: [], areas: [], appTypes: [], subscriptionPeriods: [] };
  }
  const people = account.friendsAt(at).map((userId) => ({
    ...attributesOf(userId),
    period: periodOf(account.friendDays(userId, at)),
  }));
  const counts = (attribute: keyof (typeof people)[number]) =>
    [...Map.groupBy(people, (person) => person[attribute])].map(
      ([name, group]) => [name, group.length] as const,
    );
  return demographicOf({
    genders: counts('gender'),
    ages: counts('age'),
    areas: counts('area'),
    appTypes: counts('appType'),
    subscriptionPeriods: counts('period'),
  });
}

/** The whole report at the instant. A quota of 0: no quota. */
export function reportOf(
  account: Account,
  { now, quota, readyAfterHours }: { now: number; quota: number | null; readyAfterHours: number },
): LineReport {
  const readyDay = dayOf(now - dayMs - readyAfterHours * hourMs, lineZone);
  const days = daysBetween(account.firstDay, readyDay);
  return {
    readyDay,
    followers: new Map(days.map((day) => [day, account.audienceAtEndOf(day)])),
    sends: new Map(days.map((day) => [day, account.deliveriesOn(day)])),
    demographic: demographicAt(account, now),
    quota: { value: quota ?? 0, totalUsage: account.usageAt(now) },
  };
}

/** The answers of LINE's calls: every ready day, and an `unready` day after them. */
export function snapshotsOf(report: LineReport): LineSnapshot[] {
  const nextDay = addDays(report.readyDay, 1);
  const daily = (['followers', 'delivery'] as const).flatMap((kind) => {
    const days: [string, object][] = [...(kind === 'followers' ? report.followers : report.sends)];
    return [
      ...days.map(([day, counts]) => ({ kind, day, value: { status: 'ready', ...counts } })),
      { kind, day: nextDay, value: { status: 'unready' } },
    ];
  });
  return [
    ...daily,
    { kind: 'demographic', day: report.readyDay, value: report.demographic },
    { kind: 'quota', day: nextDay, value: { type: 'limited', ...report.quota } },
  ];
}

function periodOf(days: number): string {
  const index = periodDays.findIndex((bound) => days < bound);
  return periodNames[index < 0 ? periodDays.length : index] ?? 'unknown';
}
