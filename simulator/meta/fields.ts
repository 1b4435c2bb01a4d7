/** The `fields` parameter of the Graph API: `id,messages.limit(20){id,created_time},analytics.start(1).end(2)`. */

export type Field = {
  name: string;
  /** Its parameters, such as `limit` or `start`. */
  parameters: Record<string, string>;
  fields: Field[];
};

/** Reads the list of fields. Text that is no list gives no fields. */
export function readFields(text: string): Field[] {
  return split(text).flatMap((part) => {
    const [, name, parameters = '', nested = ''] =
      /^(\w+)((?:\.\w+\([^)]*\))*)(?:\{(.*)\})?$/s.exec(part.trim()) ?? [];
    if (name === undefined) return [];
    const pairs = [...parameters.matchAll(/\.(\w+)\(([^)]*)\)/g)].map(([, key = '', value = '']) => [
      key,
      value,
    ]);
    return [{ name, parameters: Object.fromEntries(pairs), fields: readFields(nested) }];
  });
}

/** Splits at commas outside of parentheses and braces. */
function split(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const character of text) {
    if ('({['.includes(character)) depth += 1;
    if (')}]'.includes(character)) depth -= 1;
    if (character === ',' && depth === 0) {
      parts.push(part);
      part = '';
    } else part += character;
  }
  return part === '' ? parts : [...parts, part];
}
