/**
 * The readings of all rules from the facts of a bot, as pure code.
 */
import { expectedOf } from '../line/quota.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { addDays, dayMs, dayOf, dayStart, hourMs, lineZone, secondMs } from '../time.ts';
import type { BusinessHours, Reading, RuleName, RuleSettings } from './rules.ts';

/** What the rules look at. Times in ms. */
export type Facts = {
  botId: string;
  timeZone: string;
  channels: readonly { platform: PlatformName; enabled: boolean; hasAccess: boolean; changedAt: number }[];
  /** The figures of the platforms over all time, and their last deliveries. */
  totals: readonly {
    platform: PlatformName;
    followers: number;
    blocks: number;
    lastDeliveryAt: number | null;
  }[];
  /** The changes of today in the bot's zone. */
  today: readonly { platform: PlatformName; followers: number; blocks: number }[];
  /** LINE's latest own numbers; null: none. */
  lineFollowers: { followers: number; blocks: number } | null;
  quota: { day: string; at: number; size: number | null; used: number | null } | null;
  tokens: readonly { platform: PlatformName; expiresAt: number }[];
  /** Platforms whose collection has stopped. */
  stopped: readonly PlatformName[];
  wrongSignatures: readonly { platform: PlatformName; count: number }[];
  /** When the oldest waiting delivery was received; null: none waits. */
  oldestAt: number | null;
  /** Webhooks given up within 24 hours; null: there is no address. */
  givenUp: number | null;
};

/** Fewer people are no trend. */
const lostMin = 10;

/** The readings of the enabled rules at `now` (ms). A rule without a reading has nothing to look at. */
export function readingsOf(
  facts: Facts,
  settingsOf: (rule: RuleName) => RuleSettings,
  now: number,
): Reading[] {
  const enabled = facts.channels.filter((channel) => channel.enabled);
  const isEnabled = ({ platform }: { platform: PlatformName }) =>
    enabled.some((one) => one.platform === platform);
  const hours = settingsOf('no-delivery').hours;
  const all: Reading[] = [
    ...enabled.flatMap(({ platform, changedAt }) => {
      const last = facts.totals.find((one) => one.platform === platform)?.lastDeliveryAt ?? null;
      if (last === null || hours === null || platform === 'liveChat') return [];
      // A channel that was off until now has its time, too.
      const span = { from: Math.max(last, changedAt), to: now };
      return {
        rule: 'no-delivery' as const,
        subject: platform,
        value: businessHours(span, hours, facts.timeZone),
      };
    }),
    ...facts.wrongSignatures.map(({ platform, count }) => ({
      ...{ rule: 'wrong-signatures' as const, subject: platform, value: count },
    })),
    ...enabled
      .filter(({ hasAccess }) => hasAccess)
      .map(({ platform }) => ({
        ...{ rule: 'collection-stopped' as const, subject: platform },
        value: facts.stopped.includes(platform) ? 1 : 0,
      })),
    ...quotaReadings(facts, now),
    {
      rule: 'backlog',
      subject: '',
      value: facts.oldestAt === null ? 0 : Math.max(0, now - facts.oldestAt) / secondMs,
    },
    ...(facts.givenUp === null
      ? []
      : [{ rule: 'webhook-given-up' as const, subject: '', value: facts.givenUp }]),
    ...facts.tokens.filter(isEnabled).map(({ platform, expiresAt }) => ({
      ...{ rule: 'token-expiring' as const, subject: platform, value: (expiresAt - now) / dayMs },
    })),
    ...facts.today.filter(isEnabled).flatMap((day) => audienceReadings(day, facts)),
  ];
  return all
    .filter(({ rule }) => settingsOf(rule).enabled)
    .map((reading) => ({ ...reading, value: Math.round(10 * reading.value) / 10 }));
}

/** LINE's quota is that of a calendar month in UTC+9. */
function quotaReadings({ quota }: Facts, now: number): Reading[] {
  const first = `${dayOf(now, lineZone).slice(0, 7)}-01`;
  if (quota === null || quota.day < first || !quota.size || quota.used === null) return [];
  const { size, used } = quota;
  const expected = expectedOf(used, { at: quota.at, first });
  const percent = (count: number) => (100 * count) / size;
  return [
    { rule: 'quota-used', subject: 'line', value: percent(used) },
    { rule: 'quota-full', subject: 'line', value: percent(used) },
    ...(expected === null
      ? []
      : [{ rule: 'quota-expected' as const, subject: 'line', value: percent(expected) }]),
  ];
}

function audienceReadings(
  { platform, followers, blocks }: Facts['today'][number],
  { totals, lineFollowers }: Facts,
): Reading[] {
  const lost = blocks - followers;
  const total = totals.find((one) => one.platform === platform);
  const own = total ? total.followers - total.blocks + lost : 0;
  const before = platform === 'line' && lineFollowers ? lineFollowers.followers - lineFollowers.blocks : own;
  return [
    { rule: 'blocks', subject: platform, value: Math.max(0, blocks) },
    {
      ...{ rule: 'followers-falling', subject: platform },
      value: lost < lostMin || before <= 0 ? 0 : Math.min(100, (100 * lost) / before),
    },
  ];
}

/** Longer without a delivery says nothing new. */
const hoursMax = 168;
const daysMax = 60;

/** The business hours between two instants (ms), as a fraction, at most 168. */
export function businessHours(
  { from, to }: { from: number; to: number },
  { from: opens, until: closes, weekdays }: BusinessHours,
  zone: string,
): number {
  const first = dayOf(from, zone);
  let ms = 0;
  let day = dayOf(to, zone);
  for (let days = 0; day >= first && days < daysMax && ms < hoursMax * hourMs; days += 1) {
    if (weekdays.includes(weekdayOf(day))) {
      const start = dayStart(day, zone);
      ms += Math.max(0, Math.min(to, start + closes * hourMs) - Math.max(from, start + opens * hourMs));
    }
    day = addDays(day, -1);
  }
  return Math.min(hoursMax, ms / hourMs);
}

/** 1: Monday, 7: Sunday. */
function weekdayOf(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay() || 7;
}
