/**
 * The strings of a JSON text with their places, so that one can be changed and every other byte stays as it was. Pure code.
 *
 * In: a text that JSON.parse has taken. Out: each string value, where it stands in the tree, and where each of its UTF-16 units
 * stands in the text, for a unit may be written as an escape. Strings and depths beyond those of any message are passed over, so
 * that the time grows with the length of the text alone.
 */

export type JsonString = {
  /** Names and indices from the root. */
  path: readonly (string | number)[];
  value: string;
  /** Place in the text of each unit of the value, and of the closing quote. */
  places: readonly number[];
};

/** A text of 5,000 units, each written as an escape. */
const writtenLengthMax = 30_002;
const nameLengthMax = 200;
const depthMax = 100;

type Container = { name: string | null; index: number | null };

/** The string values of a valid JSON text whose own name is among the names, in order. */
export function* jsonStrings(text: string, names: ReadonlySet<string>): Generator<JsonString> {
  const containers: Container[] = [];
  for (let place = 0; place < text.length; place++) {
    const top = containers.at(-1);
    switch (text[place]) {
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
        const end = endOfString(text, place);
        const name = top?.name ?? null;
        if (top && top.index === null && name === null) top.name = readName(text, place, end);
        else if (
          name !== null &&
          names.has(name) &&
          end - place <= writtenLengthMax &&
          containers.length <= depthMax
        ) {
          const path = containers.map((container) => container.index ?? container.name ?? '');
          yield { path, ...readString(text, place) };
        }
        place = end;
      }
    }
  }
}

/** The place of the closing quote. */
function endOfString(text: string, quote: number): number {
  let place = quote + 1;
  while (text[place] !== '"') place += text[place] === '\\' ? 2 : 1;
  return place;
}

function readName(text: string, quote: number, end: number): string {
  return end - quote <= nameLengthMax ? readString(text, quote).value : '';
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function readString(text: string, quote: number): { value: string; places: number[] } {
  const units: string[] = [];
  const places: number[] = [];
  let place = quote + 1;
  while (text[place] !== '"') {
    places.push(place);
    if (text[place] !== '\\') {
      units.push(text[place] ?? '');
      place += 1;
    } else if (text[place + 1] === 'u') {
      units.push(String.fromCharCode(Number.parseInt(text.slice(place + 2, place + 6), 16)));
      place += 6;
    } else {
      const escaped = text[place + 1] ?? '';
      units.push(escapes[escaped] ?? escaped);
      place += 2;
    }
  }
  places.push(place);
  return { value: units.join(''), places };
}
