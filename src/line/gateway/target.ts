/**
 * The address of a call that is to be handed on, checked as it came over the wire, as pure code.
 *
 * Only plain paths below /v2/bot/ go on: each segment written in its one canonical form, so that what is compared here is what
 * LINE will read, and nothing in it can be taken for another host, another path or another header.
 */
import { Refusal } from '../../errors.ts';

export type Target = {
  /** As it came, without the query. */
  path: string;
  /** With its question mark; empty: none. */
  query: string;
};

const root = '/v2/bot/';
const lengthMax = 8_000;
const plainCharacters = /^[A-Za-z0-9._~!$&'()*+,=:@-]$/;

/** Reads the request target. Throws Refusal CALL_INVALID for one that does not go on as it is. */
export function readTarget(raw: string): Target {
  const [path = ''] = raw.split('?', 1);
  const query = raw.slice(path.length);
  const isPlain =
    raw.length <= lengthMax &&
    path.startsWith(root) &&
    path.slice(root.length).split('/').every(isPlainSegment) &&
    /^[\x21-\x22\x24-\x7e]*$/.test(query);
  if (!isPlain) {
    throw new Refusal(
      'CALL_INVALID',
      `The address must be a plain path below ${root}, in its shortest form.`,
    );
  }
  return { path, query };
}

/** No dots for a name, no encoded character that need not be, none that separates. */
function isPlainSegment(segment: string): boolean {
  if (segment === '' || segment === '.' || segment === '..') return false;
  const characters = segment.match(/(?:%[0-9A-Fa-f]{2})+|[^%]/gu) ?? [];
  return (
    characters.join('') === segment &&
    characters.every((text) => (text.startsWith('%') ? needsEncoding(text) : plainCharacters.test(text)))
  );
}

function needsEncoding(encoded: string): boolean {
  let decoded: string;
  try {
    decoded = decodeURIComponent(encoded);
  } catch {
    return false;
  }
  return [...decoded].every(
    (character) => !plainCharacters.test(character) && !/[\p{C}/\\%;?#]/u.test(character),
  );
}
