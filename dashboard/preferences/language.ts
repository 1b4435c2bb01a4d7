/**
 * The user's language, and typed texts in all three languages.
 *
 * `texts/<page>.ts` defines a page's texts: `defineTexts('overview', { title: { en, ja, 'zh-Hant' } })`. A missing language, an
 * unknown key and a missing value of a `{{name}}` are type errors. English may have `one` and `other` for a `{{count}}`. i18next
 * interpolates and selects plurals.
 *
 *     const t = defineTexts('contacts', { found: { en: { one: '{{count}} contact', other: '{{count}} contacts' }, … } });
 *     t('found', { count: 3 })
 */
import { signal } from '@preact/signals';
import i18next from 'i18next';
import { readSetting, writeSetting } from './storage.ts';

export const languages = { 'zh-Hant': '繁體中文', ja: '日本語', en: 'English' } as const;
export type Language = keyof typeof languages;

/** The current language. A component that reads the signal renders again when the language changes. */
export const language = signal<Language>('en');

/** The locale for `Intl`. */
export function locale(): string {
  return { 'zh-Hant': 'zh-Hant-TW', ja: 'ja-JP', en: 'en-GB' }[language.value];
}

type English = string | { one: string; other: string };
type Text = { en: English; ja: string; 'zh-Hant': string };
type Names<Words> = Words extends `${string}{{${infer Name}}}${infer Rest}` ? Name | Names<Rest> : never;
type NamesOf<Words> = Words extends { one: infer One; other: infer Other }
  ? Names<One | Other>
  : Names<Words>;
type Values<Words> = { [Name in NamesOf<Words>]: Name extends 'count' ? number : string };
type ValuesOf<Words> = [NamesOf<Words>] extends [never] ? [] : [Values<Words>];

/** Returns the text of a key in the current language, with its values. */
export type Texts<Table extends Record<string, Text>> = <Key extends keyof Table & string>(
  key: Key,
  ...values: ValuesOf<Table[Key]['en']>
) => string;

/** Registers a table of texts under a unique name. */
export function defineTexts<const Table extends Record<string, Text>>(
  name: string,
  table: Table,
): Texts<Table> {
  for (const code of Object.keys(languages).filter(isLanguage)) {
    i18next.addResourceBundle(code, name, Object.fromEntries(formsOf(table, code)));
  }
  return (key, ...[values]) => {
    const count = values && 'count' in values ? Number(values.count) : undefined;
    const options: Record<string, unknown> = { ...values, ns: name, lng: language.value };
    if (count !== undefined) options.formatted = count.toLocaleString(locale());
    return i18next.t(String(key), options);
  };
}

/** Sets the language, also for later visits. */
export function chooseLanguage(code: Language): void {
  writeSetting('language', code);
  show(code);
}

/** Sets the stored language, or the browser's first supported language. */
export function startLanguage(): void {
  const stored = readSetting('language');
  show(isLanguage(stored) ? stored : (navigator.languages.map(fromBrowser).find(isLanguage) ?? 'en'));
}

i18next.init({
  resources: {},
  fallbackLng: false,
  // Preact escapes texts.
  interpolation: { escapeValue: false },
});

function show(code: Language): void {
  language.value = code;
  document.documentElement.lang = code;
}

function isLanguage(code: string | null | undefined): code is Language {
  return code === 'zh-Hant' || code === 'ja' || code === 'en';
}

// Readers of Simplified Chinese get 繁體中文 rather than English.
function fromBrowser(tag: string): string | undefined {
  const [code = ''] = tag.toLowerCase().split('-');
  return code === 'zh' ? 'zh-Hant' : code;
}

function* formsOf(table: Record<string, Text>, code: Language): Iterable<[string, string]> {
  for (const [key, text] of Object.entries(table)) {
    const words = text[code];
    if (typeof words === 'string') {
      yield [key, withFormattedCount(words)];
    } else {
      yield [`${key}_one`, withFormattedCount(words.one)];
      yield [`${key}_other`, withFormattedCount(words.other)];
    }
  }
}

/** Formats counts with the separators of the locale. */
function withFormattedCount(words: string): string {
  return words.replaceAll('{{count}}', '{{formatted}}');
}
