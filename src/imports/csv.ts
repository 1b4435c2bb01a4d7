/**
 * The lines of a CSV file. Guards that an export adds for spreadsheets are removed (csv-fields.ts).
 */
import { pipeline } from 'node:stream';
import { parse } from 'csv-parse';
import { readGuarded } from '../csv-fields.ts';
import { Refusal } from '../errors.ts';
import type { Columns, FileLine } from './columns.ts';

const lineBytesMax = 100_000;
const problemsShown = 5;

type CsvRecord = { record: string[]; info: { lines: number } };

/** Yields the lines after the header; unquoted fields are trimmed. Throws CsvError, and INPUT_INVALID for a wrong header. */
export async function* readCsv(texts: AsyncIterable<string>, columns: Columns): AsyncGenerator<FileLine> {
  const parser = parse({
    info: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: lineBytesMax,
  });
  // The parser passes errors of the earlier stages on to the loop below.
  pipeline(texts, parser, () => undefined);
  let header: string[] | undefined;
  for await (const csvRecord of parser) {
    const { record, info }: CsvRecord = csvRecord;
    if (!header) {
      header = readHeader(record, columns);
      continue;
    }
    yield { line: info.lines, ...toFields(header, record, columns) };
  }
  readHeader(header ?? [], columns);
}

function readHeader(record: readonly string[], { required, optional, ignored = [] }: Columns): string[] {
  const names = record.map((name) => name.toLowerCase());
  const allowed = [...required, ...optional, ...ignored];
  const missing = required.filter((name) => !names.includes(name));
  const unknown = names.filter((name) => !allowed.includes(name));
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  const problems = [
    ...missing.map((name) => `The column ${JSON.stringify(name)} is missing.`),
    ...unknown.map((name) => `The column ${JSON.stringify(name)} is unknown.`),
    ...repeated.map((name) => `The column ${JSON.stringify(name)} appears more than once.`),
  ];
  if (problems.length === 0) return names;
  const columns = [...required, ...optional.map((name) => `${name} (optional)`)].join(', ');
  throw new Refusal(
    'INPUT_INVALID',
    `${problems.slice(0, problemsShown).join(' ')} The first line must name the columns: ${columns}.`,
  );
}

function toFields(header: readonly string[], record: readonly string[], { required, optional }: Columns) {
  if (record.length !== header.length) {
    return { problem: 'the line must have as many fields as the first line has columns.' };
  }
  const fields = Object.fromEntries(optional.map((name) => [name, '']));
  for (const [index, name] of header.entries()) {
    if (required.includes(name) || optional.includes(name)) fields[name] = readGuarded(record[index] ?? '');
  }
  return { fields };
}
