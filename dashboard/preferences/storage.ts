/** Preferences in the browser's storage: language, theme, last visited bot, announcements of live chat. Nothing secret. */

type Name = 'language' | 'theme' | 'bot' | 'chatSound' | 'chatNotifications';

/** Reads a preference; null if it is not stored or the browser blocks storage. */
export function readSetting(name: Name): string | null {
  try {
    return localStorage.getItem(`shoal.${name}`);
  } catch {
    return null;
  }
}

/** Stores a preference; null removes it. Without storage it lasts until the page is closed. */
export function writeSetting(name: Name, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`shoal.${name}`);
    else localStorage.setItem(`shoal.${name}`, value);
  } catch {
    // The preference still applies to this page.
  }
}
