/**
 * Rows as lines of a file, in UTF-8, each ended by a line feed.
 *
 *     csv      a line with the columns' names, then fields with commas, quoted where they have to be. Numbers as they are; what
 *              a spreadsheet would run as a formula is guarded (csv-fields.ts); lists as `VIP|News`; null as nothing
 *     ndjson   one JSON object a line, with every column
 */
import { guardFormula, joinList, quoteField } from '../csv-fields.ts';
import type { Row, Value } from './table.ts';

export const exportFormats = ['csv', 'ndjson'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** `head` stands before the first row. */
export type Writer = { head: string; lines(rows: readonly Row[]): string };

/** By which spreadsheets tell that a file is in UTF-8. */
const byteOrderMark = '\uFEFF';

/** The writer of a format; `bom`: a CSV file begins with a byte order mark. */
export function writerOf(
  format: ExportFormat,
  columns: readonly string[],
  { bom }: { bom: boolean },
): Writer {
  if (format === 'ndjson') return { head: '', lines: (rows) => rows.map(toJsonLine).join('') };
  return {
    head: `${bom ? byteOrderMark : ''}${columns.join(',')}\n`,
    lines: (rows) => rows.map((row) => toCsvLine(row, columns)).join(''),
  };
}

// By hand: the library for it made 14 KB of garbage for each contact, the rest of the export 4.
function toCsvLine(row: Row, columns: readonly string[]): string {
  return `${columns.map((column) => toField(row[column] ?? null)).join(',')}\n`;
}

function toField(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'string') return quoteField(guardFormula(value));
  return typeof value === 'object' ? quoteField(guardFormula(joinList(value))) : String(value);
}

function toJsonLine(row: Row): string {
  return `${JSON.stringify(row)}\n`;
}
