/**
 * The widget's language: that of the script line, or of the page, or of the browser.
 */

export const languages = ['en', 'ja', 'zh-Hant'] as const;
export type Language = (typeof languages)[number];

/**
 * The first supported language of the tags (BCP 47, by priority; empty ones are skipped); English if none is supported. Every
 * variant of Chinese gives traditional characters, the only ones with texts.
 */
export function pickLanguage(tags: readonly (string | null | undefined)[]): Language {
  for (const tag of tags) {
    const [first] = (tag ?? '').toLowerCase().split(/[-_]/);
    const supported = languages.find((language) => language.split('-')[0] === first);
    if (supported !== undefined) return supported;
  }
  return 'en';
}

/** The locale of numbers and times: the browser's region of the language, if it names one. */
export function localeOf(language: Language, tags: readonly string[]): string {
  return tags.find((tag) => tag.split('-')[0] === language.split('-')[0]) ?? language;
}
