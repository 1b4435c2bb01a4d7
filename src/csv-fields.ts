/**
 * Special fields of CSV files: lists, and texts that spreadsheets would run as formulas. For each writing function, a reading function
 * returns the exact original.
 */

/**
 * Puts an apostrophe before a text that spreadsheets would run as a formula. They then treat it as text. A text that already begins
 * with apostrophes before such a sign gets another one, so that reading is exact.
 */
export function guardFormula(text: string): string {
  return /^'*[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
}

/** Quotes a text if CSV needs it, or if it begins or ends with spaces, which an import removes. */
export function quoteField(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Removes the apostrophe. */
export function readGuarded(field: string): string {
  return /^'+[=+\-@\t\r\n＝＋－＠]/.test(field) ? field.slice(1) : field;
}

/** A list in one field: `VIP|News`. A `\` escapes a `|` or `\` in an entry. */
export function joinList(entries: readonly string[]): string {
  return entries.map((entry) => entry.replace(/[\\|]/g, '\\$&')).join('|');
}

/** The trimmed entries, without empty ones. */
export function splitList(field: string): string[] {
  const entries = field.match(/(?:\\.|[^\\|]|\\$)+/gs) ?? [];
  return entries.map((entry) => entry.replace(/\\(.)/gs, '$1').trim()).filter((entry) => entry !== '');
}
