/**
 * JSON from outside, before it is known to be of any shape.
 */

export type JsonObject = Record<string, unknown>;

/** True for what JSON calls an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True when a text in the value passes the test; names of members count. */
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

/** True for what PostgreSQL's jsonb stores: no NUL, no half of a surrogate pair. */
export function isStorable(value: unknown): boolean {
  return !someText(value, (text) => text.includes('\0') || !text.isWellFormed());
}

/** The value if it is a text; undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The text with lone surrogates replaced, because PostgreSQL cannot store them; null for anything but a text. */
export function storable(value: unknown): string | null {
  return typeof value === 'string' ? value.toWellFormed() : null;
}
