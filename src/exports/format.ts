/**
 * Rows as lines of a file in UTF-8. Each line ends with a line feed.
 *
 *     csv      a line of column names, then fields separated by commas and quoted if necessary. Texts that a spreadsheet would
 *              run as a formula are guarded (csv-fields.ts), lists are `VIP|News`, and null is empty
 *     ndjson   one JSON object per line, with every column
 */
import { guardFormula, joinList, quoteField } from '../csv-fields.ts';

export const exportFormats = ['csv', 'ndjson'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export type Value = string | number | boolean | null | readonly string[];
export type Row = Record<string, Value>;

/** `head` precedes the first row. */
export type Writer = { format: ExportFormat; head: string; lines(rows: readonly Row[]): string };

/** Spreadsheets recognise UTF-8 by it. */
const byteOrderMark = '\uFEFF';

/** `bom`: a CSV file starts with a byte order mark. */
export function writerOf(
  format: ExportFormat,
  columns: readonly string[],
  { bom }: { bom: boolean },
): Writer {
  if (format === 'ndjson') return { format, head: '', lines: (rows) => rows.map(toJsonLine).join('') };
  return {
    format,
    head: `${bom ? byteOrderMark : ''}${columns.join(',')}\n`,
    lines: (rows) => rows.map((row) => toCsvLine(row, columns)).join(''),
  };
}

// Without a library: it allocated 14 KB for each contact, the rest of the export 4 KB.
function toCsvLine(row: Row, columns: readonly string[]): string {
  return `${columns.map((column) => toField(row[column] ?? null)).join(',')}\n`;
}

/** A value as a field of a CSV line. */
export function toField(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'string') return quoteField(guardFormula(value));
  return typeof value === 'object' ? quoteField(guardFormula(joinList(value))) : String(value);
}

function toJsonLine(row: Row): string {
  return `${JSON.stringify(row)}\n`;
}
