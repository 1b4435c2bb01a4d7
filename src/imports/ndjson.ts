/**
 * The lines of an NDJSON file: one object per line, with the column names of a CSV file. Values become the texts of CSV fields:
 * numbers as JavaScript prints them, null as an empty text, lists as `VIP|News`.
 */
import { joinList } from '../csv-fields.ts';
import { Refusal } from '../errors.ts';
import { isObject } from '../json.ts';
import type { Columns, FileLine } from './columns.ts';

const lineLengthMax = 100_000;

/** Yields the lines that are not empty. Throws INPUT_INVALID for a line that is too long. */
export async function* readNdjson(texts: AsyncIterable<string>, columns: Columns): AsyncGenerator<FileLine> {
  let line = 0;
  for await (const text of linesOf(texts)) {
    line += 1;
    if (text.trim() !== '') yield { line, ...readLine(text, columns) };
  }
}

async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const text of texts) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > lineLengthMax) {
      throw new Refusal('INPUT_INVALID', `A line must have at most ${lineLengthMax} characters.`);
    }
  }
  if (rest !== '') yield rest;
}

function readLine(
  text: string,
  { required, optional, ignored = [] }: Columns,
): { fields: Record<string, string> } | { problem: string } {
  const value = parse(text);
  if (!isObject(value)) return { problem: 'the line must be a JSON object.' };
  const names = [...required, ...optional];
  const missing = required.find((name) => value[name] === undefined);
  if (missing !== undefined) return { problem: `${missing} is missing. Required: ${required.join(', ')}.` };
  const unknown = Object.keys(value).find((name) => !names.includes(name) && !ignored.includes(name));
  if (unknown !== undefined) {
    return { problem: `${JSON.stringify(unknown)} is unknown. Allowed: ${names.join(', ')}.` };
  }
  const fields: Record<string, string> = {};
  for (const name of names) {
    const field = toField(value[name]);
    if (field === null) return { problem: `${name} must be a text, a number, a list of texts or null.` };
    fields[name] = field;
  }
  return { fields };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Null: the value cannot be a field. */
function toField(value: unknown): string | null {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (!Array.isArray(value)) return null;
  return value.every((entry) => typeof entry === 'string') ? joinList(value) : null;
}
