/**
 * Finds the URLs of a send that a person can open, and replaces them, as pure code (LINE Messaging API reference, "Message
 * objects", "Action objects").
 *
 *     text messages             URLs in `text`
 *     templates, flex, quick    `uri` and `altUri.desktop` of URI actions at any depth
 *     replies, rich content
 *     imagemaps                 `linkUri` of actions and of a video's external link
 *
 * All other bytes of the body stay. URLs that cannot be replaced safely stay too: see `isReplaceable` and `urlsIn`.
 */
import { isObject, type JsonObject } from '../../json.ts';
import { type JsonString, jsonStrings } from './json-strings.ts';

/** A URL with its start and end in the text. */
export type UrlMatch = { url: string; start: number; end: number };

const names = new Set(['text', 'uri', 'linkUri', 'desktop']);
const urlsMax = 500;
/** LINE's limit. */
const textLengthMax = 5_000;
const urlLengthMax = 2_000;

/** Returns at most 500 URLs in their order. `body` is the parsed `text`; `lengthOfLink` is the length of the replacements. */
export function findUrls(
  text: string,
  body: JsonObject,
  { linkPrefix, lengthOfLink }: { linkPrefix: string; lengthOfLink: number },
): UrlMatch[] {
  const matches: UrlMatch[] = [];
  for (const string of jsonStrings(text, names)) {
    for (const { from, to } of spansOf(string, body, lengthOfLink)) {
      const url = string.value.slice(from, to);
      const [start = 0, end = 0] = [string.offsets[from], string.offsets[to]];
      if (matches.length < urlsMax && isReplaceable(url, linkPrefix)) matches.push({ url, start, end });
    }
  }
  return matches;
}

/** Replaces each URL by its link. Links are plain ASCII, so they need no escapes. */
export function replaceUrls(text: string, urls: readonly UrlMatch[], links: readonly string[]): string {
  const parts: string[] = [];
  let position = 0;
  for (const [index, { start, end }] of urls.entries()) {
    parts.push(text.slice(position, start), links[index] ?? text.slice(start, end));
    position = end;
  }
  return parts.join('') + text.slice(position);
}

type Span = { from: number; to: number };

function spansOf({ path, value }: JsonString, body: JsonObject, lengthOfLink: number): Span[] {
  const [first, , third] = path;
  if (first !== 'messages') return [];
  const name = path.at(-1);
  const parent = at(body, path.slice(0, -1));
  const whole = [{ from: 0, to: value.length }];
  if (name === 'uri') return isObject(parent) && parent.type === 'uri' ? whole : [];
  if (name === 'linkUri') return whole;
  if (name === 'desktop') return path.at(-2) === 'altUri' ? whole : [];
  if (third !== 'text' || path.length !== 3 || !isObject(parent)) return [];
  return isText(parent) ? urlsIn(value, lengthOfLink) : [];
}

/** LINE addresses emojis by their index in the text, which a link would change. */
function isText({ type, emojis }: JsonObject): boolean {
  if (type === 'textV2') return true;
  return type === 'text' && (!Array.isArray(emojis) || emojis.length === 0);
}

/**
 * The URLs in a text. A URL before letters of another script or a placeholder has no certain end and is skipped. All URLs are
 * skipped if their links would make the text too long.
 */
function urlsIn(text: string, lengthOfLink: number): Span[] {
  const spans: Span[] = [];
  if (text.length > textLengthMax) return spans;
  for (const { 0: match, index } of text.matchAll(/https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+/gi)) {
    const next = text.slice(index + match.length);
    const before = text.slice(Math.max(0, index - 1), index);
    if (/^(?:[\p{L}\p{N}\p{M}]|\{)/u.test(next) || /[\w/]/.test(before)) continue;
    spans.push({ from: index, to: index + withoutPunctuation(match).length });
  }
  const addedLength = spans.reduce((sum, { from, to }) => sum + lengthOfLink - (to - from), 0);
  return text.length + addedLength > textLengthMax ? [] : spans;
}

function withoutPunctuation(url: string): string {
  const ends = url.includes('(') ? ".,:;!?']" : ".,:;!?'])";
  let length = url.length;
  while (length > 0 && ends.includes(url[length - 1] ?? ' ')) length -= 1;
  return url.slice(0, length);
}

/** True for an http(s) URL of plain ASCII that is neither ours nor LINE's. LINE handles its own URLs specially. */
function isReplaceable(url: string, linkPrefix: string): boolean {
  if (url.length > urlLengthMax || !/^https?:\/\/[\x21-\x7e]+$/i.test(url) || url.startsWith(linkPrefix))
    return false;
  const host = URL.parse(url)?.hostname ?? '';
  return host !== '' && host !== 'line.me' && !host.endsWith('.line.me');
}

function at(root: unknown, path: readonly (string | number)[]): unknown {
  let value = root;
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)];
    else if (isObject(value)) value = value[String(step)];
    else return undefined;
  }
  return value;
}
