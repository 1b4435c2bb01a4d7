/** A table as CSV (RFC 4180), for the numbers of a chart. Pure. */
import { guardFormula } from '../../src/csv-fields.ts';

export type CsvField = string | number | null;

/** Without it, spreadsheets read UTF-8 as an older encoding. */
const byteOrderMark = '\uFEFF';

/** A table as CSV; the first row has the column names. Null is an empty field, and formulas in texts are disarmed. */
export function toCsv(rows: readonly (readonly CsvField[])[]): string {
  return byteOrderMark + rows.map((row) => `${row.map(fieldOf).join(',')}\r\n`).join('');
}

function fieldOf(value: CsvField): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = guardFormula(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
