/** The settings of the script line on the business's page. */
import { type Language, pickLanguage } from './language.ts';

/** The visitor's identity according to the site; the site's server computes the hash. */
export type Identity = { identifier: string; identifierHash: string; name: string | null };

export type Settings = {
  widgetKey: string;
  /** The base URL of the visitors' API, next to the script, with a trailing slash. */
  base: string;
  language: Language;
  identity: Identity | null;
};

/** Null without a widget key. */
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
