/**
 * LINE's demographic answer as shares, as pure code: each breakdown is a list of keys with percentages, in LINE's order.
 *
 * LINE reports `from50` in addition to its five parts. It is omitted if any part is present, or people over 50 would count twice
 * (figures.md, section 9).
 */
import { isObject } from '../json.ts';

/** One share of a breakdown with LINE's key: {key: 'female', percentage: 57.1}. */
export type Share = { key: string; percentage: number };

/** LINE's field with the key of a share, by breakdown. */
export const shareKeys = {
  genders: 'gender',
  ages: 'age',
  areas: 'area',
  appTypes: 'appType',
  subscriptionPeriods: 'subscriptionPeriod',
} as const;
type Breakdown = keyof typeof shareKeys;

/** The parts of LINE's `from50`. */
const partsOfFrom50: ReadonlySet<string> = new Set([
  'from50to54',
  'from55to59',
  'from60to64',
  'from65to69',
  'from70',
]);

/** Returns the breakdowns; empty lists without an answer, or if LINE has no demographics. */
export function sharesOf(answer: unknown): Record<Breakdown, Share[]> {
  const lists = isObject(answer) && answer.available === true ? answer : {};
  const shares = Object.entries(shareKeys).map(([name, keyName]) => [name, readShares(lists[name], keyName)]);
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
