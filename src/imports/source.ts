/**
 * An import file: CSV as spreadsheets and other systems write it (UTF-8 with or without byte order mark, a header line, quoted
 * fields, any line ending), or NDJSON. It is read as a stream, so its size is not limited by memory.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { CsvError } from 'csv-parse';
import { Refusal } from '../errors.ts';
import type { Columns, FileLine } from './columns.ts';
import { readCsv } from './csv.ts';
import { readNdjson } from './ndjson.ts';

export const importFormats = ['csv', 'ndjson'] as const;
export type ImportFormat = (typeof importFormats)[number];

const batchLines = 2_000;

export type ImportSource = {
  /** Its name in messages. */
  name: string;
  format: ImportFormat;
  /** Returns the bytes from the beginning; called twice. */
  open(): AsyncIterable<Uint8Array>;
};

export type Lines = {
  /** The non-empty lines after a CSV file's header, in batches. */
  batches: AsyncIterable<FileLine[]>;
  /** SHA-256 of the bytes in hex, available after the last batch. */
  hash(): string;
};

/** A file by its path. The default format is NDJSON for `.ndjson` and `.jsonl`, otherwise CSV. */
export function fileSource(path: string, format?: ImportFormat): ImportSource {
  const defaultFormat = /\.(ndjson|jsonl)$/i.test(path) ? 'ndjson' : 'csv';
  return { name: path, format: format ?? defaultFormat, open: () => createReadStream(path) };
}

/** Bytes in memory. */
export function bytesSource(name: string, format: ImportFormat, bytes: Uint8Array): ImportSource {
  return {
    name,
    format,
    async *open() {
      yield bytes;
    },
  };
}

/**
 * Opens a source. An unreadable file (missing, not UTF-8, a wrong header, an open quote) throws INPUT_INVALID while the batches are
 * read.
 */
export function openLines(source: ImportSource, columns: Columns): Lines {
  const hash = createHash('sha256');
  let digest = '';
  async function* decode(): AsyncGenerator<string> {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    for await (const chunk of source.open()) {
      hash.update(chunk);
      yield decoder.decode(chunk, { stream: true });
    }
    yield decoder.decode();
    digest = hash.digest('hex');
  }
  async function* read(): AsyncGenerator<FileLine[]> {
    let batch: FileLine[] = [];
    try {
      const lines = source.format === 'csv' ? readCsv(decode(), columns) : readNdjson(decode(), columns);
      for await (const line of lines) {
        if (batch.push(line) < batchLines) continue;
        yield batch;
        batch = [];
      }
      if (batch.length > 0) yield batch;
    } catch (error) {
      throw toRefusal(source.name, error);
    }
  }
  return { batches: read(), hash: () => digest };
}

function toRefusal(name: string, error: unknown): unknown {
  if (error instanceof CsvError)
    return new Refusal('INPUT_INVALID', `${name} is not a valid CSV file: ${error.message}.`);
  if (!(error instanceof Error) || !('code' in error)) return error;
  if (error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return new Refusal('INPUT_INVALID', `${name} is not in UTF-8. Save it as "CSV UTF-8" and try again.`);
  }
  if ('syscall' in error) return new Refusal('INPUT_INVALID', `${name} cannot be read: ${error.message}.`);
  return error;
}
