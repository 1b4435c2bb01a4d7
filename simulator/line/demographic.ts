/** LINE's friend demographics (Insight API): its attribute names, and percentages as LINE writes them. */

export const genderNames = ['male', 'female', 'unknown'] as const;
export const appTypeNames = ['ios', 'android', 'others'] as const;
const agesOver50 = ['from50to54', 'from55to59', 'from60to64', 'from65to69', 'from70'] as const;
export const ageNames = [
  'from15to19',
  'from20to24',
  'from25to29',
  'from30to34',
  'from35to39',
  'from40to44',
  'from45to49',
  'unknown',
  ...agesOver50,
] as const;
export const periodNames = [
  'within7days',
  'within30days',
  'within90days',
  'within180days',
  'within365days',
  'over365days',
  'unknown',
] as const;
export const areaNames: readonly string[] = [
  ...'台北市 新北市 基隆市 桃園市 新竹市 新竹縣 苗栗縣 台中市 彰化縣 南投縣 雲林縣'.split(' '),
  ...'嘉義市 嘉義縣 台南市 高雄市 屏東縣 宜蘭縣 花蓮縣 台東縣 澎湖縣 金門縣 連江縣'.split(' '),
  'unknown',
];

type Share = { percentage: number };
export type Demographic = {
  available: boolean;
  genders: (Share & { gender: string })[];
  ages: (Share & { age: string })[];
  areas: (Share & { area: string })[];
  appTypes: (Share & { appType: string })[];
  subscriptionPeriods: (Share & { subscriptionPeriod: string })[];
};

/** How many people have each name. */
type Counts = readonly (readonly [name: string, count: number])[];

/** LINE's answer for the counts of each attribute. `from50` is an additional entry: the sum of its five parts. */
export function demographicOf(counts: {
  genders: Counts;
  ages: Counts;
  areas: Counts;
  appTypes: Counts;
  subscriptionPeriods: Counts;
}): Demographic {
  const ages = tenths(counts.ages);
  const over50 = ages.filter(([age]) => agesOver50.some((name) => name === age));
  if (over50.length > 0) ages.push(['from50', over50.reduce((sum, [, share]) => sum + share, 0)]);
  return {
    available: true,
    genders: percentages(tenths(counts.genders), (gender) => ({ gender })),
    ages: percentages(ages, (age) => ({ age })),
    areas: percentages(tenths(counts.areas), (area) => ({ area })),
    appTypes: percentages(tenths(counts.appTypes), (appType) => ({ appType })),
    subscriptionPeriods: percentages(tenths(counts.subscriptionPeriods), (subscriptionPeriod) => ({
      subscriptionPeriod,
    })),
  };
}

// In tenths of a percent, each rounded individually, as LINE rounds.
function tenths(counts: Counts): [string, number][] {
  const sum = counts.reduce((total, [, count]) => total + count, 0);
  return counts.map(([name, count]) => [name, Math.round((count / sum) * 1_000)]);
}

// Largest first, as LINE sorts; tenths become percent.
function percentages<Name extends object>(
  shares: readonly [string, number][],
  entry: (name: string) => Name,
): (Name & Share)[] {
  const sorted = [...shares].sort((a, b) => b[1] - a[1]);
  return sorted.map(([name, share]) => ({ ...entry(name), percentage: share / 10 }));
}
