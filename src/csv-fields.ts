/**
 * What stands in one field of a CSV file beside plain text: lists, and what spreadsheets would take for a formula. Whatever is
 * written by one of each pair is read back by the other, to the character.
 */

/**
 * A text as spreadsheets are to see it: one that they would run as a formula gets an apostrophe in front, which they take for
 * "this is text". A text that begins with apostrophes before such a sign gets one more, so that reading is exact.
 */
export function guardFormula(text: string): string {
  return /^'*[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
}

/** The text as one field: quoted where it has to be, and where it begins or ends with spaces, which an import takes off. */
export function quoteField(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The text without that apostrophe. */
export function readGuarded(field: string): string {
  return /^'+[=+\-@\t\r\n＝＋－＠]/.test(field) ? field.slice(1) : field;
}

/** A list in one field: `VIP|News`. A `|` or `\` of an entry has a `\` in front. */
export function joinList(entries: readonly string[]): string {
  return entries.map((entry) => entry.replace(/[\\|]/g, '\\$&')).join('|');
}

/** The entries without spaces around them; empty ones are left out. */
export function splitList(field: string): string[] {
  const entries = field.match(/(?:\\.|[^\\|]|\\$)+/gs) ?? [];
  return entries.map((entry) => entry.replace(/\\(.)/gs, '$1').trim()).filter((entry) => entry !== '');
}
