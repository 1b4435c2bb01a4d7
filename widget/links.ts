/**
 * Links in a message's text. A text is only ever shown as text; what is an http or https address in it is made clickable.
 */

export type Part = { text: string; href: string | null };

// Letters of any script may stand in an address, but of punctuation only ASCII: a Chinese or Japanese sentence goes on without
// a space. linkify-it misses an address that follows a letter, linkifyjs takes the punctuation in.
const addresses = /https?:\/\/(?:[^\s<>"'`\p{P}]|[-!#%&()*,./:;?@[\\\]_{}])+/giu;
/** ASCII that closes a sentence or a bracket after an address is not of the address. */
const after = /[.,;:!?)\]]+$/;
const brackets: readonly (readonly [string, string])[] = [
  ['(', ')'],
  ['[', ']'],
];

/** The text in parts, in order; together they are the text. */
export function splitLinks(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(addresses)) {
    const address = trim(found);
    if (!isAddress(address)) continue;
    if (index > end) parts.push({ text: text.slice(end, index), href: null });
    parts.push({ text: address, href: address });
    end = index + address.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), href: null });
  return parts;
}

function trim(found: string): string {
  const [closing = ''] = after.exec(found) ?? [];
  const short = found.slice(0, found.length - closing.length);
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
