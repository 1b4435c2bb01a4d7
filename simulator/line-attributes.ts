/** The names by which LINE tells who an account's friends are (Insight: demographic), and shares as it writes them. */

export const genderNames = ['male', 'female', 'unknown'] as const;
export const appTypeNames = ['ios', 'android', 'others'] as const;
export const agesOver50 = ['from50to54', 'from55to59', 'from60to64', 'from65to69', 'from70'] as const;
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
export const areaNames = [
  ...[
    '台北市',
    '新北市',
    '基隆市',
    '桃園市',
    '新竹市',
    '新竹縣',
    '苗栗縣',
    '台中市',
    '彰化縣',
    '南投縣',
    '雲林縣',
  ],
  ...[
    '嘉義市',
    '嘉義縣',
    '台南市',
    '高雄市',
    '屏東縣',
    '宜蘭縣',
    '花蓮縣',
    '台東縣',
    '澎湖縣',
    '金門縣',
    '連江縣',
  ],
  'unknown',
] as const;

export type Share = { percentage: number };
export type Demographic = {
  available: boolean;
  genders: (Share & { gender: string })[];
  ages: (Share & { age: string })[];
  areas: (Share & { area: string })[];
  appTypes: (Share & { appType: string })[];
  subscriptionPeriods: (Share & { subscriptionPeriod: string })[];
};

/** How much each name weighs: people, or weights by chance. */
export type Weights = readonly (readonly [name: string, weight: number])[];

/** The answer of LINE's call for the weights of each kind; `from50` is the sum of its five parts, and stands beside them. */
export function demographicOf(weights: {
  genders: Weights;
  ages: Weights;
  areas: Weights;
  appTypes: Weights;
  subscriptionPeriods: Weights;
}): Demographic {
  const ages = tenths(weights.ages);
  const over50 = ages.filter(([age]) => agesOver50.some((part) => part === age));
  if (over50.length > 0) ages.push(['from50', over50.reduce((sum, [, share]) => sum + share, 0)]);
  return {
    available: true,
    genders: listed(tenths(weights.genders)).map(([gender, percentage]) => ({ gender, percentage })),
    ages: listed(ages).map(([age, percentage]) => ({ age, percentage })),
    areas: listed(tenths(weights.areas)).map(([area, percentage]) => ({ area, percentage })),
    appTypes: listed(tenths(weights.appTypes)).map(([appType, percentage]) => ({ appType, percentage })),
    subscriptionPeriods: listed(tenths(weights.subscriptionPeriods)).map(
      ([subscriptionPeriod, percentage]) => ({ subscriptionPeriod, percentage }),
    ),
  };
}

// In tenths of a percent, each rounded on its own, as LINE's are.
function tenths(weights: Weights): [string, number][] {
  const sum = weights.reduce((total, [, weight]) => total + weight, 0);
  return weights.map(([name, weight]) => [name, Math.round((weight / sum) * 1_000)]);
}

// Largest first, as LINE's answers are; tenths become percent.
function listed(shares: readonly [string, number][]): [string, number][] {
  return [...shares].sort((a, b) => b[1] - a[1]).map(([name, share]) => [name, share / 10]);
}
