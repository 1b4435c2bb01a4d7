/** Changes of a JSON value at places that the seed chooses. */
import type { SeededRandom } from '../../simulator/events/random.ts';
import { hostileValue } from './values.ts';

type Node = Record<string, unknown> | unknown[];
type Place = { parent: Node; key: string | number };

const arrayLength = 3_000;

/** A changed copy of the value. Returns what was done, too. */
export function mutated(value: unknown, random: SeededRandom): { value: unknown; what: string } {
  const whole = { root: structuredClone(value) };
  const places = placesOf(whole);
  const { parent, key } = places[random.integer(0, places.length - 1)] ?? { parent: whole, key: 'root' };
  const what = mutate(parent, key, random);
  return { value: whole.root, what: `${what} ${key}` };
}

function mutate(parent: Node, key: string | number, random: SeededRandom): string {
  const node = parent as Record<string | number, unknown>;
  const kind = random.weighted({ replace: 10, drop: 4, case: 1, wrap: 1, repeat: 0.3, add: 1, rename: 1 });
  if (kind === 'drop') {
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else delete node[key];
  } else if (kind === 'case' && typeof node[key] === 'string') {
    const text = node[key];
    node[key] = text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
  } else if (kind === 'wrap') node[key] = random.chance(0.5) ? [node[key]] : { [key]: node[key] };
  else if (kind === 'repeat' && Array.isArray(node[key]) && node[key].length > 0) {
    const length = random.pick([2, 10, arrayLength]);
    node[key] = Array.from(
      { length },
      (_, index) => (node[key] as unknown[])[index % (node[key] as unknown[]).length],
    );
  } else if (kind === 'add' && !Array.isArray(parent))
    node[random.pick(['__proto__x', 'extra', ''])] = hostileValue(random);
  else if (kind === 'rename' && !Array.isArray(parent)) {
    const held = node[key];
    delete node[key];
    node[String(key).toUpperCase()] = held;
  } else node[key] = hostileValue(random);
  return kind;
}

function placesOf(node: Node): Place[] {
  const places: Place[] = [];
  const open: Node[] = [node];
  while (open.length > 0) {
    const parent = open.pop() as Node;
    const keys = Array.isArray(parent) ? parent.keys() : Object.keys(parent);
    for (const key of keys) {
      places.push({ parent, key });
      const child = (parent as Record<string | number, unknown>)[key];
      if (typeof child === 'object' && child !== null) open.push(child as Node);
    }
  }
  return places;
}

/** The JSON text with its first member written twice, with another value the first time. */
export function withRepeatedName(text: string): string {
  const name = /"[^"\\]*"(?=:)/.exec(text);
  if (!name) return text;
  return `${text.slice(0, name.index)}${name[0]}:1,${text.slice(name.index)}`;
}
