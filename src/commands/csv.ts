/**
 * CSV files as spreadsheets and other systems write them: UTF-8 with or without byte order mark, a header line, quoted fields,
 * any line ending. Read as a stream, so that a file of any size fits.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { Refusal } from '../errors.ts';

export type Columns = { required: readonly string[]; optional: readonly string[] };

export type CsvLine = {
  /** Number of the line in the file, from 1; of a record of several lines the last. */
  line: number;
  /** Trimmed, by column; an optional column that the file does not have is empty. Null: not as many fields as columns. */
  fields: Readonly<Record<string, string>> | null;
};

export type CsvFile = {
  /** The lines after the header, in batches. */
  batches: AsyncIterable<CsvLine[]>;
  /** SHA-256 of the file's bytes in hex; known once the batches are read. */
  hash(): string;
};

const batchLines = 2_000;
const lineBytesMax = 100_000;

/**
 * Opens a file; what cannot be read at all (no file, not UTF-8, a wrong header, an open quote) throws INPUT_INVALID while the
 * batches are read.
 */
export function openCsv(path: string, columns: Columns): CsvFile {
  const hash = createHash('sha256');
  let digest = '';
  async function* decode(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield decoder.decode(chunk, { stream: true });
    }
    yield decoder.decode();
    digest = hash.digest('hex');
  }
  return { batches: readBatches(path, decode, columns), hash: () => digest };
}

type Parsed = { record: string[]; info: { lines: number } };

async function* readBatches(
  path: string,
  decode: (chunks: AsyncIterable<Uint8Array>) => AsyncGenerator<string>,
  columns: Columns,
): AsyncGenerator<CsvLine[]> {
  const parser = parse({
    info: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: lineBytesMax,
  });
  // Errors of the parts before the parser reach the loop below through the parser.
  pipeline(createReadStream(path), decode, parser, () => undefined);
  let header: string[] | undefined;
  let batch: CsvLine[] = [];
  try {
    for await (const parsed of parser) {
      const { record, info }: Parsed = parsed;
      if (!header) {
        header = readHeader(record, columns);
        continue;
      }
      batch.push({ line: info.lines, fields: toFields(header, record, columns) });
      if (batch.length < batchLines) continue;
      yield batch;
      batch = [];
    }
  } catch (error) {
    throw toRefusal(path, error);
  }
  readHeader(header ?? [], columns);
  if (batch.length > 0) yield batch;
}

function readHeader(record: readonly string[], { required, optional }: Columns): string[] {
  const names = record.map((name) => name.toLowerCase());
  const known = [...required, ...optional];
  const missing = required.filter((name) => !names.includes(name));
  const unknown = names.filter((name, index) => !known.includes(name) || names.indexOf(name) !== index);
  if (missing.length === 0 && unknown.length === 0) return names;
  const wanted = [...required, ...optional.map((name) => `${name} (may be left out)`)].join(', ');
  throw new Refusal(
    'INPUT_INVALID',
    `The first line must name the columns: ${wanted}. It holds: ${record.length > 0 ? record.join(', ') : 'nothing'}.`,
  );
}

function toFields(
  header: readonly string[],
  record: readonly string[],
  { optional }: Columns,
): CsvLine['fields'] {
  if (record.length !== header.length) return null;
  const fields = Object.fromEntries(optional.map((name) => [name, '']));
  for (const [index, name] of header.entries()) fields[name] = record[index] ?? '';
  return fields;
}

function toRefusal(path: string, error: unknown): unknown {
  if (error instanceof CsvError)
    return new Refusal('INPUT_INVALID', `${path} is no CSV file: ${error.message}.`);
  if (!(error instanceof Error) || !('code' in error)) return error;
  if (error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return new Refusal('INPUT_INVALID', `${path} is not in UTF-8; save it as "CSV UTF-8" and try again.`);
  }
  if ('syscall' in error) return new Refusal('INPUT_INVALID', `${path} cannot be read: ${error.message}.`);
  return error;
}
