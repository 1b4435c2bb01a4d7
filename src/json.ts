/**
 * JSON of unknown shape from outside.
 */

export type JsonObject = Record<string, unknown>;

/** True for a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True if any string in the value, including names of members, passes the test. */
export function someText(value: unknown, test: (text: string) => boolean): boolean {
  // A list instead of recursion, because JSON may be nested deeper than the stack.
  const open = [value];
  while (open.length > 0) {
    const item = open.pop();
    if (typeof item === 'string' && test(item)) return true;
    if (typeof item !== 'object' || item === null || ArrayBuffer.isView(item)) continue;
    if (!Array.isArray(item) && Object.keys(item).some(test)) return true;
    for (const member of Object.values(item)) open.push(member);
  }
  return false;
}

/** True if PostgreSQL's jsonb can store the value: no NUL and no lone surrogates. */
export function isStorable(value: unknown): boolean {
  return !someText(value, (text) => text.includes('\0') || !text.isWellFormed());
}

/** Returns a string, or undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Parses a text; null: it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** A text as it is, another value as JSON. `String` throws for an object such as `{"toString":1}`. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
