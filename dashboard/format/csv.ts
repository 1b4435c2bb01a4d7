/** A table as CSV (RFC 4180), for the numbers of a chart. Pure. */
import { guardFormula } from '../../src/csv-fields.ts';

export type CsvField = string | number | null;

/** Opens rightly in spreadsheets, which otherwise take UTF-8 for something older. */
const byteOrderMark = '\uFEFF';

/** The lines of a table, the first of which names the columns. Null is an empty field; texts are no formulas. */
export function toCsv(rows: readonly (readonly CsvField[])[]): string {
  return byteOrderMark + rows.map((row) => `${row.map(fieldOf).join(',')}\r\n`).join('');
}

function fieldOf(value: CsvField): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = guardFormula(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
