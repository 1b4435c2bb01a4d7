/**
 * LINE's demographic answer in MantaGo's names (figures.md, section 9), as pure functions.
 *
 * Each breakdown becomes a list of slices, largest first. Slices of one name are added up. The labels are Chinese, as MantaGo's.
 * Areas of other countries stay as LINE writes them.
 */
import { type Share, sharesOf } from '../../line/demographics.ts';

export type NamedPercentage = { name: string; percentage: number };
export type Demographic = Record<'genders' | 'ages' | 'areas' | 'appTypes', NamedPercentage[]>;

const unknownName = '未知';
const genderNames = new Map([
  ['male', '男性'],
  ['female', '女性'],
]);
const appTypeNames = new Map([
  ['ios', 'iOS'],
  ['android', 'Android'],
]);
const areaGroups: Readonly<Record<string, readonly string[]>> = {
  北北基: ['台北市', '新北市', '基隆市'],
  桃竹苗: ['桃園市', '新竹市', '新竹縣', '苗栗縣'],
  中彰投: ['台中市', '彰化縣', '南投縣'],
  雲嘉南: ['雲林縣', '嘉義市', '嘉義縣', '台南市'],
  高屏: ['高雄市', '屏東縣'],
  宜花東: ['宜蘭縣', '花蓮縣', '台東縣'],
  澎金馬: ['澎湖縣', '金門縣', '連江縣'],
  [unknownName]: ['unknown'],
};
const groupOfArea = new Map(
  Object.entries(areaGroups).flatMap(([group, areas]) => areas.map((area) => [area, group] as const)),
);

/** The four breakdowns, empty without an answer or if LINE has none. */
export function toDemographic(answer: unknown): Demographic {
  const { genders, ages, areas, appTypes } = sharesOf(answer);
  return {
    genders: name(genders, (gender) => genderNames.get(gender) ?? unknownName),
    ages: name(ages, ageName),
    areas: name(areas, (area) => groupOfArea.get(area) ?? area),
    appTypes: name(appTypes, (appType) => appTypeNames.get(appType) ?? unknownName),
  };
}

/** from20to24 is 20-24歲, from70 is 70歲以上. */
function ageName(age: string): string {
  const [, from, to] = /^from(\d+)(?:to(\d+))?$/.exec(age) ?? [];
  if (from === undefined) return unknownName;
  return to === undefined ? `${from}歲以上` : `${from}-${to}歲`;
}

/** The units of one percent. LINE's decimal fractions are integers in this unit, so they add up exactly. */
const unitsOfPercent = 1e12;

/** Names the slices, adds up those of one name, and rounds half up to one decimal: 0.05 + 0.1 is 0.2. Largest first, ties in the input's order. */
function name(slices: readonly Share[], nameOf: (key: string) => string): NamedPercentage[] {
  const sums = new Map<string, number>();
  for (const { key, percentage } of slices) {
    const units = Math.round(percentage * unitsOfPercent);
    sums.set(nameOf(key), (sums.get(nameOf(key)) ?? 0) + units);
  }
  return [...sums]
    .map(([name, units]) => ({ name, percentage: Math.floor(units / (unitsOfPercent / 10) + 0.5) / 10 }))
    .sort((a, b) => b.percentage - a.percentage);
}
