/**
 * Finds the people that a delivery names, and removes one of them from it.
 *
 * Only the members that hold ids of people are compared; each platform module lists them. So text, other ids and member names that
 * happen to equal an id stay unchanged. Ids are compared after JSON is parsed, so escapes make no difference.
 */
import { isObject } from '../json.ts';
import type { PersonFields } from './reader.ts';

/** Deeper levels hold no ids; the bound keeps a hostile body from using up the stack. */
const depthMax = 100;

/** The ids of people in parsed JSON, each once, without the account's own. */
export function peopleIn(root: unknown, fields: PersonFields): string[] {
  const people = new Set<string>();
  visit(root, fields, (id) => people.add(id), 0);
  for (const id of fields.accountIds(root))
    if (typeof id !== 'object') people.delete(fields.normal(String(id)));
  return [...people];
}

/** The ids of people in a body. In a body that is no JSON, every text in the form of an id counts. */
export function peopleInBody(body: Uint8Array, fields: PersonFields): string[] {
  const text = Buffer.from(body).toString('utf8');
  const root = parse(text);
  if (root !== undefined) return peopleIn(root, fields);
  return [...new Set(text.match(fields.spelling))];
}

/**
 * The body without the items that name one of the ids; the same body when no item does. Null: nothing of the body can stay, because it
 * is no JSON, or names the person outside its items.
 */
export function withoutPerson(
  body: Uint8Array,
  ids: readonly string[],
  fields: PersonFields,
): Uint8Array | null {
  const text = Buffer.from(body).toString('utf8');
  const root = parse(text);
  const person = new Set(ids);
  if (root === undefined) return text.match(fields.spelling)?.some((id) => person.has(id)) ? null : body;
  for (const id of fields.accountIds(root))
    if (typeof id !== 'object') person.delete(fields.normal(String(id)));
  if (!names(root, fields, person)) return body;
  const rest = withoutItems(root, fields, person, 0);
  return names(rest, fields, person) ? null : Buffer.from(JSON.stringify(rest));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

function names(node: unknown, fields: PersonFields, person: ReadonlySet<string>): boolean {
  let isNamed = false;
  visit(
    node,
    fields,
    (id) => {
      isNamed ||= person.has(id);
    },
    0,
  );
  return isNamed;
}

function visit(node: unknown, fields: PersonFields, found: (id: string) => void, depth: number): void {
  if (typeof node !== 'object' || node === null || depth > depthMax) return;
  if (Array.isArray(node)) {
    for (const item of node) visit(item, fields, found, depth + 1);
    return;
  }
  for (const [name, member] of Object.entries(node)) {
    if (fields.ids.has(name)) visitIds(member, fields, found, depth + 1);
    else if (fields.parties.has(name)) {
      for (const party of Array.isArray(member) ? member : [member]) {
        if (isObject(party)) visitIds(party.id, fields, found, depth + 1);
      }
    }
    visit(member, fields, found, depth + 1);
  }
}

/** Some of Meta's ids are numbers. */
function visitIds(node: unknown, fields: PersonFields, found: (id: string) => void, depth: number): void {
  if (typeof node === 'string' || typeof node === 'number') {
    if (node !== '') found(fields.normal(String(node)));
    return;
  }
  if (typeof node !== 'object' || node === null || depth > depthMax) return;
  for (const member of Object.values(node)) visitIds(member, fields, found, depth + 1);
}

function withoutItems(
  node: unknown,
  fields: PersonFields,
  person: ReadonlySet<string>,
  depth: number,
): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (depth > depthMax) return null;
  if (Array.isArray(node)) return node.map((item) => withoutItems(item, fields, person, depth + 1));
  const members = Object.entries(node).map(([name, member]) => {
    const rest = withoutItems(member, fields, person, depth + 1);
    const isList = fields.lists.has(name) && Array.isArray(rest);
    return [name, isList ? rest.filter((item) => !names(item, fields, person)) : rest];
  });
  return Object.fromEntries(members);
}
