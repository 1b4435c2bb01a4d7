/**
 * Links in a message's text. A text is only ever shown as text; what is an http or https address in it is made clickable.
 */

export type Part = { text: string; href: string | null };

const addresses = /https?:\/\/[^\s<>"'`]+/gi;
/** What closes a sentence or a bracket after an address is not of the address. */
const after = /[.,;:!?、。，；：！？…）)\]」』】〉》]+$/;
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
  // Chinese and Japanese sentences go on without a space.
  const [address = ''] = found.split(/[\u3000-\u303f\uff00-\uffef\u4e00-\u9fff\u3040-\u30ff]/);
  const [closing = ''] = after.exec(address) ?? [];
  const short = address.slice(0, address.length - closing.length);
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
