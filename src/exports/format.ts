/**
 * Rows as lines of a file, in UTF-8, each ended by a line feed.
 *
 *     csv      a line with the columns' names, then fields with commas, quoted where they have to be. Numbers as they are; what
 *              a spreadsheet would run as a formula is guarded (csv-fields.ts); lists as `VIP|News`; null as nothing
 *     ndjson   one JSON object a line, with every column
 */
import { stringify } from 'csv-stringify/sync';
import { guardFormula, joinList } from '../csv-fields.ts';
import type { Row } from './table.ts';

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
    lines: (rows) => stringify([...rows], { columns: [...columns], ...csvOptions }),
  };
}

const csvOptions = {
  // An import takes the spaces off what is not quoted.
  quoted_match: /^\s|\s$/,
  // Not the library's own guard, which cannot be read back.
  cast: {
    string: guardFormula,
    boolean: String,
    object: (value: unknown) => guardFormula(Array.isArray(value) ? joinList(value) : ''),
  },
};

function toJsonLine(row: Row): string {
  return `${JSON.stringify(row)}\n`;
}
