/**
 * The URLs of a send that a person can open, and the same body with others in their place, as pure code (LINE Messaging API
 * reference, "Message objects", "Action objects").
 *
 *     text messages             URLs in `text`
 *     templates, flex, quick    `uri` and `altUri.desktop` of URI actions, wherever they stand
 *     replies, rich content
 *     imagemaps                 `linkUri` of actions and of a video's external link
 *
 * Every other byte of the body stays. What cannot be replaced without harm is left as it is: see `isReplaceable` and `urlsIn`.
 */
import { isObject, type JsonObject } from '../../json.ts';
import { type JsonString, jsonStrings } from './json-strings.ts';

/** A URL and the places in the text at which it begins and ends. */
export type FoundUrl = { url: string; start: number; end: number };

const names = new Set(['text', 'uri', 'linkUri', 'desktop']);
const urlsMax = 500;
/** LINE's own. */
const textLengthMax = 5_000;
const urlLengthMax = 2_000;

/** The URLs in the order in which they stand, at most 500. `body` is what `text` says; `lengthOfLink` of what will replace them. */
export function findUrls(
  text: string,
  body: JsonObject,
  { ownPrefix, lengthOfLink }: { ownPrefix: string; lengthOfLink: number },
): FoundUrl[] {
  const found: FoundUrl[] = [];
  for (const string of jsonStrings(text, names)) {
    for (const { from, to } of spansOf(string, body, lengthOfLink)) {
      const url = string.value.slice(from, to);
      const [start = 0, end = 0] = [string.places[from], string.places[to]];
      if (found.length < urlsMax && isReplaceable(url, ownPrefix)) found.push({ url, start, end });
    }
  }
  return found;
}

/** The text with a link in place of each of the URLs; links are plain ASCII, so none needs an escape. */
export function replaceUrls(text: string, urls: readonly FoundUrl[], links: readonly string[]): string {
  const parts: string[] = [];
  let done = 0;
  for (const [index, { start, end }] of urls.entries()) {
    parts.push(text.slice(done, start), links[index] ?? text.slice(start, end));
    done = end;
  }
  return parts.join('') + text.slice(done);
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

/** Emojis stand at places of the text that a link would move. */
function isText({ type, emojis }: JsonObject): boolean {
  if (type === 'textV2') return true;
  return type === 'text' && (!Array.isArray(emojis) || emojis.length === 0);
}

/**
 * The URLs in a text. Of one that goes on with letters of another script, or with a placeholder, it is not sure where it ends,
 * so it is left as it is; so are all when their links would make the text too long.
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
  const longer = spans.reduce((sum, { from, to }) => sum + lengthOfLink - (to - from), 0);
  return text.length + longer > textLengthMax ? [] : spans;
}

function withoutPunctuation(url: string): string {
  const ends = url.includes('(') ? ".,:;!?']" : ".,:;!?'])";
  let length = url.length;
  while (length > 0 && ends.includes(url[length - 1] ?? ' ')) length -= 1;
  return url.slice(0, length);
}

/** An http(s) URL of plain ASCII that is neither ours nor one of LINE's own, which LINE opens in ways of its own. */
function isReplaceable(url: string, ownPrefix: string): boolean {
  if (url.length > urlLengthMax || !/^https?:\/\/[\x21-\x7e]+$/i.test(url) || url.startsWith(ownPrefix))
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
