/** What the script line on the customer's page says. */
import { type Language, pickLanguage } from './language.ts';

/** Who the customer's own site says the visitor is; the hash is made by the site's server. */
export type Identity = { identifier: string; identifierHash: string; name: string | null };

export type Settings = {
  widgetKey: string;
  /** Where the visitors' calls stand, with a slash at the end: beside the script. */
  base: string;
  language: Language;
  identity: Identity | null;
};

/** Null when the line has no widget key. */
export function readSettings(script: HTMLScriptElement): Settings | null {
  const { widgetKey, language, identifier, identifierHash, name } = script.dataset;
  if (!widgetKey) return null;
  return {
    widgetKey,
    base: new URL(`v1/${encodeURIComponent(widgetKey)}/`, script.src).href,
    language: pickLanguage([language, document.documentElement.lang, ...navigator.languages]),
    identity: identifier ? { identifier, identifierHash: identifierHash ?? '', name: name ?? null } : null,
  };
}
