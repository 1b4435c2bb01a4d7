/**
 * LINE's demographic answer as shares, as pure code: each breakdown a list of keys with their percentages, in LINE's order.
 *
 * LINE sends `from50` beside its own five parts: it is left out when any of these came, else those over 50 would count twice
 * (figures.md, section 9).
 */
import { isObject } from '../json.ts';

/** One share of a breakdown, as LINE names it: {key: 'female', percentage: 57.1}. */
export type Share = { key: string; percentage: number };

/** What names a share in each breakdown of LINE's. */
const keyNames = {
  genders: 'gender',
  ages: 'age',
  areas: 'area',
  appTypes: 'appType',
  subscriptionPeriods: 'subscriptionPeriod',
} as const;
export type Breakdown = keyof typeof keyNames;
export const breakdowns = Object.keys(keyNames) as Breakdown[];

/** LINE sends the sum of these beside them. */
const partsOfFrom50: ReadonlySet<string> = new Set([
  'from50to54',
  'from55to59',
  'from60to64',
  'from65to69',
  'from70',
]);

/** The breakdowns; empty ones when there is no answer, or LINE says that it has none. */
export function sharesOf(answer: unknown): Record<Breakdown, Share[]> {
  const told = isObject(answer) && answer.available === true ? answer : {};
  const shares = Object.entries(keyNames).map(([name, keyName]) => [name, readShares(told[name], keyName)]);
  const all = Object.fromEntries(shares) as Record<Breakdown, Share[]>;
  return { ...all, ages: withoutSums(all.ages) };
}

function readShares(list: unknown, keyName: string): Share[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) => {
    if (!isObject(item)) return [];
    const { [keyName]: key, percentage } = item;
    return typeof key === 'string' && typeof percentage === 'number' ? { key, percentage } : [];
  });
}

function withoutSums(ages: Share[]): Share[] {
  const hasParts = ages.some(({ key }) => partsOfFrom50.has(key));
  return hasParts ? ages.filter(({ key }) => key !== 'from50') : ages;
}
