/**
 * The reader's language, and typed texts in all three.
 *
 * A page's texts stand side by side in `texts/<page>.ts`: `defineTexts('overview', { title: { en, ja, 'zh-Hant' } })`. A missing
 * language is a type error, and so are an unknown key and a missing value of a `{{name}}`. English may have `one` and `other`
 * for a `{{count}}`. i18next does the rest.
 *
 *     const t = defineTexts('contacts', { found: { en: { one: '{{count}} contact', other: '{{count}} contacts' }, … } });
 *     t('found', { count: 3 })
 */
import { signal } from '@preact/signals';
import i18next from 'i18next';
import { readSetting, writeSetting } from './storage.ts';

export const languages = { 'zh-Hant': '繁體中文', ja: '日本語', en: 'English' } as const;
export type Language = keyof typeof languages;

/** What the reader reads in; whoever reads it while drawing is drawn anew when it changes. */
export const language = signal<Language>('en');

/** `Intl`'s name for it: dates and numbers of the place where it is spoken. */
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

/** Gives the text of a key in the reader's language, with its values put in. */
export type Texts<Table extends Record<string, Text>> = <Key extends keyof Table & string>(
  key: Key,
  ...values: ValuesOf<Table[Key]['en']>
) => string;

/** Adds a table of texts under a name that no other has. */
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

/** Chooses a language for now and the next visits. */
export function chooseLanguage(code: Language): void {
  writeSetting('language', code);
  show(code);
}

/** The language chosen before, else the first of the browser's that there is. */
export function startLanguage(): void {
  const kept = readSetting('language');
  show(isLanguage(kept) ? kept : (navigator.languages.map(fromBrowser).find(isLanguage) ?? 'en'));
}

i18next.init({
  resources: {},
  fallbackLng: false,
  // Preact writes texts as texts, never as HTML.
  interpolation: { escapeValue: false },
});

function show(code: Language): void {
  language.value = code;
  document.documentElement.lang = code;
}

function isLanguage(code: string | null | undefined): code is Language {
  return code === 'zh-Hant' || code === 'ja' || code === 'en';
}

// Whoever reads Simplified Chinese is nearer to 繁體中文 than to English.
function fromBrowser(tag: string): string | undefined {
  const [code = ''] = tag.toLowerCase().split('-');
  return code === 'zh' ? 'zh-Hant' : code;
}

function* formsOf(table: Record<string, Text>, code: Language): Iterable<[string, string]> {
  for (const [key, text] of Object.entries(table)) {
    const words = text[code];
    if (typeof words === 'string') {
      yield [key, shownCount(words)];
    } else {
      yield [`${key}_one`, shownCount(words.one)];
      yield [`${key}_other`, shownCount(words.other)];
    }
  }
}

/** Counts are shown in the reader's way, with separators. */
function shownCount(words: string): string {
  return words.replaceAll('{{count}}', '{{formatted}}');
}
