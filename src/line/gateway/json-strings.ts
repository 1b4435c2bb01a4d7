/**
 * The strings of a JSON text with their offsets, so that one can be changed without touching any other byte. Pure code.
 *
 * The input must be valid JSON. The output is each string value with its path and the offset of each UTF-16 unit in the text,
 * because a unit may be written as an escape. Longer strings and greater depths than those of messages are skipped, so the time is
 * linear in the length of the text.
 */

export type JsonString = {
  /** Names and indices from the root. */
  path: readonly (string | number)[];
  value: string;
  /** The offset in the text of each unit of the value, and of the closing quote. */
  offsets: readonly number[];
};

/** A text of 5,000 units, each written as an escape. */
const writtenLengthMax = 30_002;
const nameLengthMax = 200;
const depthMax = 100;

type Container = { name: string | null; index: number | null };

/** Yields the string values whose property name is among the names, in order. */
export function* jsonStrings(text: string, names: ReadonlySet<string>): Generator<JsonString> {
  const containers: Container[] = [];
  for (let offset = 0; offset < text.length; offset++) {
    const top = containers.at(-1);
    switch (text[offset]) {
      case '{':
        containers.push({ name: null, index: null });
        break;
      case '[':
        containers.push({ name: null, index: 0 });
        break;
      case '}':
      case ']':
        containers.pop();
        break;
      case ',':
        if (top?.index !== undefined && top.index !== null) top.index += 1;
        else if (top) top.name = null;
        break;
      case '"': {
        const end = endOfString(text, offset);
        const name = top?.name ?? null;
        if (top && top.index === null && name === null) top.name = readName(text, offset, end);
        else if (
          name !== null &&
          names.has(name) &&
          end - offset <= writtenLengthMax &&
          containers.length <= depthMax
        ) {
          const path = containers.map((container) => container.index ?? container.name ?? '');
          yield { path, ...readString(text, offset) };
        }
        offset = end;
      }
    }
  }
}

/** The offset of the closing quote. */
function endOfString(text: string, quote: number): number {
  let offset = quote + 1;
  while (text[offset] !== '"') offset += text[offset] === '\\' ? 2 : 1;
  return offset;
}

function readName(text: string, quote: number, end: number): string {
  return end - quote <= nameLengthMax ? readString(text, quote).value : '';
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function readString(text: string, quote: number): { value: string; offsets: number[] } {
  const units: string[] = [];
  const offsets: number[] = [];
  let offset = quote + 1;
  while (text[offset] !== '"') {
    offsets.push(offset);
    if (text[offset] !== '\\') {
      units.push(text[offset] ?? '');
      offset += 1;
    } else if (text[offset + 1] === 'u') {
      units.push(String.fromCharCode(Number.parseInt(text.slice(offset + 2, offset + 6), 16)));
      offset += 6;
    } else {
      const escaped = text[offset + 1] ?? '';
      units.push(escapes[escaped] ?? escaped);
      offset += 2;
    }
  }
  offsets.push(offset);
  return { value: units.join(''), offsets };
}
