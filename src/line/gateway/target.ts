/**
 * Checks the raw request target of a call before it is forwarded, as pure code.
 *
 * Only plain paths below LINE's own roots are forwarded: each segment must be in its canonical form. LINE then reads the same path that is
 * checked here, and no part can be read as another host, path or header.
 */
import { Refusal } from '../../errors.ts';

export type Target = {
  /** Unchanged, without the query. */
  path: string;
  /** With the question mark; empty: none. */
  query: string;
};

/** Calls of the Messaging API, of access tokens, phone-number pushes, LIFF apps, and mission stickers. */
export const lineRoots = [
  '/v2/bot/',
  '/oauth2/',
  '/v2/oauth/',
  '/bot/pnp/',
  '/liff/v1/',
  '/shop/v3/',
] as const;
const lengthMax = 8_000;
const plainCharacters = /^[A-Za-z0-9._~!$&'()*+,=:@-]$/;

/** Parses the request target. Throws Refusal CALL_INVALID if it is not plain. */
export function readTarget(raw: string): Target {
  const [path = ''] = raw.split('?', 1);
  const query = raw.slice(path.length);
  const root = lineRoots.find((one) => path.startsWith(one));
  const isPlain =
    raw.length <= lengthMax &&
    root !== undefined &&
    path.slice(root.length).split('/').every(isPlainSegment) &&
    /^[\x21-\x22\x24-\x7e]*$/.test(query);
  if (!isPlain) {
    throw new Refusal(
      'CALL_INVALID',
      `The address must be a plain path below ${lineRoots.join(', ')}, in its shortest form.`,
    );
  }
  return { path, query };
}

/** True unless the segment is empty or dots, or contains a needless encoding or an encoded separator. */
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
