/**
 * The strings of a JSON text with their places, so that one can be changed and every other byte stays as it was. Pure code.
 *
 * In: a text that JSON.parse has taken. Out: each string value, where it stands in the tree, and where each of its UTF-16 units
 * stands in the text, for a unit may be written as an escape.
 */

export type JsonString = {
  /** Names and indices from the root. */
  path: readonly (string | number)[];
  value: string;
  /** Place in the text of each unit of the value, and of the closing quote. */
  places: readonly number[];
};

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
        const { value, places } = readString(text, place);
        place = places.at(-1) ?? place;
        if (top && top.index === null && top.name === null) top.name = value;
        else if (top?.name !== null && top?.name !== undefined && names.has(top.name)) {
          yield { path: containers.map(({ name, index }) => index ?? name ?? ''), value, places };
        }
      }
    }
  }
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
