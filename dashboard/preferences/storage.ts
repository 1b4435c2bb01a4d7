/** What the reader chose, kept by the browser: language, theme, the bot last looked at. Nothing secret. */

type Name = 'language' | 'theme' | 'bot';

/** Null: nothing is kept, or the browser keeps nothing for this site. */
export function readSetting(name: Name): string | null {
  try {
    return localStorage.getItem(`shoal.${name}`);
  } catch {
    return null;
  }
}

/** Keeps a choice; null forgets it. Where the browser keeps nothing, it holds until the page is left. */
export function writeSetting(name: Name, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`shoal.${name}`);
    else localStorage.setItem(`shoal.${name}`, value);
  } catch {
    // The choice still holds on this page.
  }
}
