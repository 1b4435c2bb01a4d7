/** A table as CSV (RFC 4180), for the numbers of a chart, and the first lines of a file. Pure. */
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

/** The first `count` records of a CSV text. A record that the text cuts off is left out. */
export function readCsv(text: string, count: number): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  const fields = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy;
  fields.lastIndex = text.startsWith(byteOrderMark) ? 1 : 0;
  while (records.length < count) {
    const [, quoted, plain = '', end = ''] = fields.exec(text) ?? [];
    const isEmpty = record.length === 0 && quoted === undefined && plain === '';
    if (end === '' && (isEmpty || fields.lastIndex === 0)) break;
    record.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ',') continue;
    if (!isEmpty) records.push(record);
    record = [];
    if (end === '') break;
  }
  return records;
}
