/**
 * Which language the widget speaks: that of the script line, else of the page, else of the browser.
 */

export const languages = ['en', 'ja', 'zh-Hant'] as const;
export type Language = (typeof languages)[number];

/**
 * The first of the wishes (BCP 47 tags, weightiest first; empty ones are passed over) that the widget speaks; English when
 * there is none. Every Chinese is answered in traditional characters, the only ones there are texts in.
 */
export function pickLanguage(wishes: readonly (string | null | undefined)[]): Language {
  for (const wish of wishes) {
    const [first] = (wish ?? '').toLowerCase().split(/[-_]/);
    const known = languages.find((language) => language.split('-')[0] === first);
    if (known !== undefined) return known;
  }
  return 'en';
}

/** How numbers and times are written in that language: as in the reader's own region, when the browser names one of it. */
export function localeOf(language: Language, wishes: readonly string[]): string {
  return wishes.find((wish) => wish.split('-')[0] === language.split('-')[0]) ?? language;
}
