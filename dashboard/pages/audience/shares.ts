/** Translates LINE's values of gender, age, area, app and friendship period. A new value of LINE keeps LINE's name. */
import { t } from '../../texts/audience.ts';

export function genderTitle(key: string): string {
  if (key === 'male' || key === 'female' || key === 'unknown') return t(key);
  return key;
}

export function appTitle(key: string): string {
  if (key === 'others') return t('otherApps');
  return { ios: 'iOS', android: 'Android' }[key] ?? key;
}

/** `from20to24`, `from70`, `from0to14`. */
export function ageTitle(key: string): string {
  const [, from, to] = /^from(\d+)(?:to(\d+))?$/.exec(key) ?? [];
  if (from === undefined) return otherTitle(key);
  if (to === undefined) return t('ageFrom', { from });
  return from === '0' ? t('ageTo', { to }) : t('ageFromTo', { from, to });
}

/** `within30days` means 7 to less than 30 days: each step starts at the end of the previous one. */
export function periodTitle(key: string): string {
  const days = Number(/^(?:within|over)(\d+)days$/.exec(key)?.[1] ?? Number.NaN);
  if (Number.isNaN(days)) return otherTitle(key);
  if (key.startsWith('over')) return t('daysFrom', { from: String(days) });
  const from = periodEnds[periodEnds.indexOf(days) - 1];
  return from === undefined
    ? t('daysBelow', { below: String(days) })
    : t('daysFromTo', { from: String(from), to: String(days - 1) });
}

/** LINE writes areas in the language of the country. */
export function areaTitle(key: string): string {
  return otherTitle(key);
}

/** The sort key of ages and friendship periods; unknown comes last. */
export function startOf(key: string): number {
  const number = Number(/\d+/.exec(key)?.[0] ?? Number.POSITIVE_INFINITY);
  return key.startsWith('over') ? number + 1 : number;
}

const periodEnds = [7, 30, 90, 180, 365];

function otherTitle(key: string): string {
  return key === 'unknown' ? t('unknown') : key;
}
