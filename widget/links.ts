/**
 * Finds http and https addresses in a message's text, so that the view can render them as links.
 */

export type Part = { text: string; href: string | null };

// An address may contain letters of any script, but only ASCII punctuation: a Chinese or Japanese sentence continues without a
// space. linkify-it misses an address that follows a letter; linkifyjs includes the punctuation.
const addresses = /https?:\/\/(?:[^\s<>"'`\p{P}]|[-!#%&()*,./:;?@[\\\]_{}])+/giu;
/** Punctuation after an address is not part of it. */
const after = /[.,;:!?)\]]+$/;
const brackets: readonly (readonly [string, string])[] = [
  ['(', ')'],
  ['[', ']'],
];

/** The text in parts, in order; joined, they are the text. */
export function splitLinks(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const { 0: match, index } of text.matchAll(addresses)) {
    const address = trim(match);
    if (!isAddress(address)) continue;
    if (index > end) parts.push({ text: text.slice(end, index), href: null });
    parts.push({ text: address, href: address });
    end = index + address.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), href: null });
  return parts;
}

function trim(match: string): string {
  const [closing = ''] = after.exec(match) ?? [];
  const short = match.slice(0, match.length - closing.length);
  const opened = brackets.find(
    ([open, close]) => closing.startsWith(close) && count(short, open) > count(short, close),
  );
  return opened === undefined ? short : short + opened[1];
}

const count = (text: string, part: string): number => text.split(part).length - 1;

function isAddress(text: string): boolean {
  try {
    const { protocol, hostname } = new URL(text);
    return (protocol === 'http:' || protocol === 'https:') && hostname !== '';
  } catch {
    return false;
  }
}
